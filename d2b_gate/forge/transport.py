"""One request of the API on the wire: the token, retries of what may be repeated, and no other host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.util.retry import Retry

from d2b_gate import __version__
from d2b_gate.forge.origin import origin_of

if TYPE_CHECKING:
    from typing_extensions import Self
    from urllib3.response import BaseHTTPResponse

    from d2b_gate.forge.timing import Budget

_RETRIES = 4
_REPEATABLE = frozenset({"GET", "PATCH", "DELETE"})  # each of ours says the same when said twice
_PASSING = frozenset({500, 502, 503, 504})
_FACTOR = 0.5  # of urllib3's doubling pauses: none before the first retry, then 1, 2 and 4 seconds
_HEADERS = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
    "User-Agent": f"d2b-gate/{__version__}",
}


def make_session(root: str, token: str, budget: Budget) -> requests.Session:
    """A session whose token goes to the root's origin alone, whatever a `.netrc` says."""
    session = requests.Session()
    session.headers.update(_HEADERS)
    session.auth = _Token(token, root)  # with an auth of its own a session never reads a netrc
    origin = origin_of(root)
    session.trust_env = origin.scheme == "https"  # a proxy must not see a token that loopback alone may
    session.mount(f"{origin.scheme}://", HTTPAdapter(max_retries=_within(budget)))
    return session


class _Token(AuthBase):
    """The bearer token, for one origin."""

    def __init__(self, token: str, root: str) -> None:
        self._token = token
        self._origin = origin_of(root)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if origin_of(request.url or "") == self._origin:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _within(budget: Budget) -> Retry:
    """Retries of urllib3: refused connections of every request, and passing failures of what may be repeated.

    ``retry-after`` is left to the caller, who knows how much time there is; so is a status that stays.
    """
    retry = _BoundedRetry(
        total=_RETRIES,
        redirect=0,
        backoff_factor=_FACTOR,
        allowed_methods=_REPEATABLE,
        status_forcelist=_PASSING,
        raise_on_status=False,
        respect_retry_after_header=False,
    )
    retry.budget = budget
    return retry


class _BoundedRetry(Retry):
    """Retries whose pauses come out of a budget."""

    budget: Budget

    def new(self, **changed: Any) -> Self:  # noqa: ANN401 - as urllib3 declares it
        made = super().new(**changed)
        made.budget = self.budget
        return made

    def sleep(self, response: BaseHTTPResponse | None = None) -> None:
        if pause := self.get_backoff_time():
            self.budget.wait(pause, "the API cannot be reached" if response is None else "the API fails")
