"""Where the API is: which addresses a token may go to."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from d2b_gate.core.errors import UsageError
from d2b_gate.core.printable import printable

PUBLIC = "https://api.github.com"
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: what a token is bound to."""

    scheme: str
    host: str
    port: int


def api_root(url: str) -> str:
    """The API's address without a slash at its end, checked.

    Raises:
        UsageError: it is no http address, carries more than a path, or would send the token in the clear.
    """
    origin = origin_of(url)
    parts = urlsplit(url)
    shown = printable(parts.hostname or url)
    if not origin.host or origin.scheme not in _PORTS:
        raise UsageError(f"the API's address {shown!r} is no http address", remedy=f"for example {PUBLIC}")
    if "@" in parts.netloc or parts.query or parts.fragment:
        what = f"the API's address at {shown} holds a user, a query or a fragment"
        raise UsageError(what, remedy="give it as https://HOST/api/v3; the token comes from the environment")
    if origin.scheme != "https" and not is_loopback(origin.host):
        raise UsageError(f"the API's address at {shown} would get the token unencrypted", remedy="use https")
    return url.rstrip("/")


def origin_of(url: str) -> Origin:
    """The origin of an address; one without a host for what is no address."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:  # a port or an address in brackets that is none
        return Origin("", "", 0)
    return Origin(parts.scheme, parts.hostname or "", port)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its very name."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
