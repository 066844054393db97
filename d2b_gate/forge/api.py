"""GitHub's REST API: requests, pages, rate limits and refusals; what is asked for is known elsewhere."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urljoin

import requests
from urllib3.exceptions import HTTPError

from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.printable import printable
from d2b_gate.forge.limits import pause_asked
from d2b_gate.forge.origin import origin_of
from d2b_gate.forge.refusals import StatusError, UnknownOutcomeError, told_by
from d2b_gate.forge.transport import make_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from d2b_gate.forge.timing import Budget

T = TypeVar("T")

MOST_PAGES = 50  # of 100 entries; GitHub itself ends a conversation at 2 500 comments
_LONGEST_TRY = 30.0  # seconds that one answer may take
_REFUSALS = 5  # rate limits in a row
_REDIRECTS = 3
_MOVED = frozenset({301, 302, 307, 308})
_UNKNOWN = frozenset({500, 502, 503, 504})
_PAUSES = (1.0, 4.0)  # seconds before it is seen whether something was created after all


class Api:
    """One API with one token, within one budget of time."""

    def __init__(self, root: str, token: str, budget: Budget) -> None:
        self.budget = budget
        self._root = root
        self._token = token
        self._session = make_session(root, token, budget)

    def get(self, path: str, query: Mapping[str, str | int] | None = None) -> object:
        """The answer to a question."""
        return self._content(self._exchange("GET", self._root + path, query))

    def pages(self, path: str, query: Mapping[str, str | int] | None = None) -> Iterator[object]:
        """The answers to a question that is answered in pages, by their ``Link`` headers.

        Raises:
            EvaluationError: there are more pages than are read.
        """
        answer = self._exchange("GET", self._root + path, {"per_page": 100, **(query or {})})
        for _ in range(MOST_PAGES):
            yield self._content(answer)
            following = answer.links.get("next", {}).get("url", "")
            if not following:
                return
            answer = self._exchange("GET", self._same_origin(urljoin(self._root, following)))
        raise EvaluationError(f"{path} has more than the {MOST_PAGES} pages that are read", remedy="remove old entries")

    def send(self, method: str, path: str, body: Mapping[str, object] | None = None) -> object:
        """The answer to a change.

        Raises:
            UnknownOutcomeError: a POST failed in a way that does not say whether it was done.
        """
        return self._content(self._exchange(method, self._root + path, body=body))

    def _exchange(
        self,
        method: str,
        url: str,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> requests.Response:
        """Ask until no rate limit refuses, following redirects within the origin."""
        refusals = redirects = 0
        while True:
            answer = self._ask(method, url, query, body)
            told = told_by(_parsed(answer), self._token)
            now = self.budget.timing.wall()
            if pause := pause_asked(answer.status_code, answer.headers, told, now, refusals):
                refusals += 1
                if refusals > _REFUSALS:
                    raise StatusError(answer.status_code, f"{method} {url}", told)
                self.budget.wait(pause, "the API's rate limit is reached")
            elif answer.status_code in _MOVED:
                redirects += 1
                if redirects > _REDIRECTS:
                    raise StatusError(answer.status_code, f"{method} {url}", "it redirects without end")
                url, query = self._same_origin(urljoin(url, answer.headers.get("location", ""))), None
            else:
                self._require_done(answer, method, told)
                return answer

    def _ask(
        self,
        method: str,
        url: str,
        query: Mapping[str, str | int] | None,
        body: Mapping[str, object] | None,
    ) -> requests.Response:
        left = min(_LONGEST_TRY, self.budget.left())
        if not left:
            raise EvaluationError("the time is up", remedy="give more time with --timeout, or run it again later")
        try:
            return self._session.request(method, url, params=query, json=body, timeout=left, allow_redirects=False)
        except (requests.RequestException, HTTPError, UnicodeError) as error:
            what = f"the API at {origin_of(url).host} cannot be reached ({_cause(error)})"
            kind = UnknownOutcomeError if method == "POST" else EvaluationError
            raise kind(what, remedy="check --api-url and the network, and run it again") from None

    def _same_origin(self, url: str) -> str:
        """An address that the API names, if the token may go there."""
        if origin_of(url) != origin_of(self._root):
            what = f"the API points to another host, {printable(origin_of(url).host)!r}, which must not get the token"
            raise EvaluationError(what, remedy="give the address of that API with --api-url if you trust it")
        return url

    def _require_done(self, answer: requests.Response, method: str, told: str) -> None:
        if answer.ok:
            return
        asked = f"{method} {answer.url.partition('?')[0]}"
        if method == "POST" and answer.status_code in _UNKNOWN:
            raise UnknownOutcomeError(f"the API answers {answer.status_code} to {asked}", remedy="run it again later")
        raise StatusError(answer.status_code, asked, told)

    def _content(self, answer: requests.Response) -> object:
        content = _parsed(answer)
        if content is None and answer.status_code != requests.codes.no_content:
            what = f"the answer of {printable(answer.url.partition('?')[0])} is not JSON"
            raise EvaluationError(what, remedy="check --api-url: GitHub Enterprise has its API at https://HOST/api/v3")
        return content


def created(api: Api, create: Callable[[], T], find: Callable[[], list[T]]) -> T:
    """Create something once: after a failure that leaves open whether it was done, look before trying again."""
    for pause in _PAUSES:
        with suppress(UnknownOutcomeError):
            return create()
        api.budget.wait(pause, "the API fails")
        if found := find():
            return found[0]
    return create()


def _parsed(answer: requests.Response) -> object:
    try:
        content: object = answer.json()
    except (ValueError, RecursionError):
        return None
    return content


def _cause(error: Exception) -> str:
    """A failure of the network in a few words; the libraries' own texts name objects in memory."""
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not accepted"
    if isinstance(error, requests.Timeout):
        return "it does not answer in time"
    reason = getattr(error.args[0] if error.args else None, "reason", error)
    return type(reason).__name__
