"""Whom rows may be sent to: a remote's address counts only if something of the user's own binds a token to it.

A repository names an address in its policy; a cloned one may name anybody's. So the token is looked up by origin in the
user's environment and configuration, and an origin without one is refused.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from d2b_gate.core.errors import UsageError
from d2b_gate.core.printable import printable
from d2b_gate.core.toml import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

URL, TOKEN = "D2B_GATE_REMOTE_URL", "D2B_GATE_REMOTE_TOKEN"
"""Environment variables that bind a token to an address; both or neither."""
CONFIG = "D2B_GATE_CONFIG_DIR"
"""Where ``remotes.toml`` is, if not in the platform's directory for this user's configuration."""
_PORTS = {"http": 80, "https": 443}
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Bound:
    """An address, the token that the user bound to its origin, and a file of authorities to trust there, if any."""

    url: str
    token: str
    authorities: str = ""

    @property
    def origin(self) -> str:
        """``https://host:port``, which is shown."""
        return origin(self.url)


def origin(url: str) -> str:
    """Scheme, host and port of an address, the port said where it is the usual one.

    Raises:
        UsageError: it is no http or https address, or carries a name or a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise UsageError(f"{printable(url[:80])!r} is no address of a remote backend", remedy=_HTTPS) from None
    if not parts.hostname or parts.username is not None:
        raise UsageError(f"{printable(url[:80])!r} is no address of a remote backend", remedy=_HTTPS)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise UsageError(f"{printable(url[:80])} would carry rows and the token in the clear", remedy=_HTTPS)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port}"


_HTTPS = "write https://host:port; http is for localhost only"


def bound(url: str) -> Bound:
    """The user's own remote at an address's origin; with an empty address, the one remote that the user has.

    Only the origin is the policy's to choose: path and token are the user's.

    Raises:
        UsageError: nothing of the user's binds a token to the address's origin; or which one is meant is not clear.
    """
    known = list(_known())
    if not url:
        if len(known) != 1:
            names = ", ".join(one.origin for one in known) or f"set {URL} and {TOKEN}"
            raise UsageError(f"the policy names no remote, and the user's own are {len(known)}", remedy=names)
        return known[0]
    wanted = origin(url)
    for one in known:
        if one.origin == wanted:
            return one
    raise UsageError(
        f"the policy names the remote {wanted}, and nothing of yours binds a token to that address; nothing was sent",
        remedy=f"if rows may go there, set {URL} and {TOKEN}, or add it to {config_file()}",
    )


def config_file() -> Path:
    """The user's file of remotes, which need not exist."""
    named = os.environ.get(CONFIG, "").strip()
    if named:
        return Path(named).expanduser().absolute() / "remotes.toml"
    from platformdirs import user_config_dir

    return Path(user_config_dir("d2b-gate", appauthor=False)) / "remotes.toml"


def _known() -> Iterator[Bound]:
    """The environment's first, then the file's."""
    url, token = os.environ.get(URL, "").strip(), os.environ.get(TOKEN, "").strip()
    if bool(url) != bool(token):
        unset = TOKEN if url else URL
        raise UsageError(f"{unset} is not set", remedy=f"a token is bound to an address: set {URL} and {TOKEN}")
    if url:
        yield _sendable(Bound(url, token), URL)
    yield from _configured(config_file())


def _configured(path: Path) -> Iterator[Bound]:
    """Tables ``[[remote]]`` with ``url`` and ``token``, or ``token_file``, and perhaps ``ca``."""
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot be read ({error})", where=str(path), remedy="correct or remove it") from error
    tables = parse(text, str(path)).get("remote", [])
    for table in tables if isinstance(tables, list) else [tables]:
        yield _sendable(_read(table, path), str(path))


def _read(table: object, path: Path) -> Bound:
    texts = table if isinstance(table, dict) else {}
    unknown = next((key for key in texts if key not in ("url", "token", "token_file", "ca")), "")
    if unknown or not all(isinstance(value, str) for value in texts.values()) or not texts.get("url"):
        raise UsageError(
            f"a remote has {'an unknown key ' + repr(unknown) if unknown else 'no url, or a value that is no text'}",
            where=str(path),
            remedy='write [[remote]] with url and token = "..." or token_file = "..."',
        )
    token, holder = str(texts.get("token", "")), path
    if "token_file" in texts:
        holder = path.parent / Path(str(texts["token_file"])).expanduser()
        try:
            token = holder.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError("the token cannot be read", where=str(holder), remedy="correct token_file") from error
    if os.name == "posix" and holder.stat().st_mode & 0o077:
        raise UsageError("holds a token, and others can read it", where=str(holder), remedy=f"run: chmod 600 {holder}")
    authorities = str(path.parent / Path(str(texts["ca"])).expanduser()) if texts.get("ca") else ""
    return Bound(str(texts["url"]), token, authorities)


def _sendable(one: Bound, where: str) -> Bound:
    """A header carries printable ASCII; a token of anything else was cut or pasted wrongly."""
    origin(one.url)
    if not one.token or not one.token.isascii() or not one.token.isprintable() or " " in one.token:
        raise UsageError("the token is empty or no single word of ASCII", where=where, remedy="paste it again")
    return one
