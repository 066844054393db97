"""The line to a server: JSON requests that may be sent twice, sent again until the server answers or patience ends."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from time import monotonic, sleep
from typing import TYPE_CHECKING, NamedTuple

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from d2b_gate.backends.remote.binding import LOOPBACK
from d2b_gate.core.errors import EvaluationError, ProbeUnreadableError, UnavailableError, UsageError
from d2b_gate.core.printable import printable
from d2b_gate.core.remote import misheard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from requests import PreparedRequest, Response

    from d2b_gate.backends.remote.binding import Bound
    from d2b_gate.core.errors import GateError
    from d2b_gate.core.ports import Clock

CONNECT, READ = 5.0, 30.0
"""Seconds until a connection stands, and between two bytes; a stream of events says something every five."""
PATIENCE = 180.0
"""Seconds of trying to reach a server again that was there; a restart loads no model."""
LARGEST = 256 * 2**20  # bytes of an answer; our choice: sixteen times what a client asks for at once
LONGEST = 600.0  # seconds from an answer's first byte to its last
LONGEST_LINE = 64 * 2**10  # bytes of an event; one has some hundred
PAUSES = (0.05, 0.2, 0.5, 1.0, 2.0)
"""Seconds between tries; the last one is repeated."""
FINE = (200, 202)
AGAIN = (429, 500, 502, 503, 504)
_LONGEST_PAUSE = 30.0  # seconds that a server may ask for; more, and the person is told instead
_SHOWN = 500  # characters of a server's sentence
_KINDS: Mapping[str, Callable[..., GateError]] = {
    "usage": UsageError,
    "evaluation": EvaluationError,
    "unreadable": ProbeUnreadableError,
}


class Answer(NamedTuple):
    """A status and a table; of an error, the table that says what is wrong."""

    status: int
    table: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Bearer(AuthBase):
    """Sets the header itself, so that no netrc file puts another name in its place."""

    token: str

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign one request."""
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class Line:
    """A connection that is kept open. Every request is one that may be repeated, so a lost answer loses nothing."""

    def __init__(
        self, bound: Bound, patience: float, *, sleep: Callable[[float], None] = sleep, clock: Clock = monotonic
    ) -> None:
        """``patience``: seconds of trying to reach a server that was never there; `PATIENCE` once it was."""
        self.origin = bound.origin
        self._root = bound.url.rstrip("/")
        self._sleep, self._clock = sleep, clock
        self._session = requests.Session()
        self._session.auth = Bearer(bound.token)
        if any(f"//{name}" in bound.origin.replace("[", "").replace("]", "") for name in LOOPBACK):
            self._session.trust_env = False  # a proxy has no way to this machine
        self._verify = bound.authorities or None  # given with each request, for else a variable would replace it
        self.patience = patience

    def ask(self, method: str, path: str, body: object = None, expected: tuple[int, ...] = ()) -> Answer:
        """One request and its answer; ``expected`` are error statuses that the caller understands.

        Raises:
            UnavailableError: no answer in the time that is tried, or one that cannot be understood.
            GateError: what the server says went wrong.
        """
        answer = self._until_answered(lambda: self._once(method, path, body))
        if answer.status in FINE or answer.status in expected:
            return answer
        raise self._error(answer)

    def lines(self, path: str) -> Iterator[str]:
        """Lines of a stream until it ends or breaks; both look alike to a caller who then asks for the state."""
        try:
            with closing(self._send("GET", path, None)) as response:
                if response.status_code == HTTPStatus.OK:
                    yield from _lines(response.iter_content(chunk_size=1))
        except (requests.RequestException, HTTPError, OSError):
            return

    def now(self) -> float:
        """Seconds since some start."""
        return self._clock()

    def pause(self) -> None:
        """Wait a moment."""
        self._sleep(PAUSES[1])

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _until_answered(self, attempt: Callable[[], Answer]) -> Answer:
        deadline = self._clock() + self.patience
        tries = 0
        while True:
            problem, wait = "", PAUSES[min(tries, len(PAUSES) - 1)]
            try:
                answer = attempt()
            except (requests.RequestException, HTTPError, OSError) as error:
                problem = _in_words(error)
            else:
                if answer.status not in AGAIN:
                    self.patience = PATIENCE
                    return answer
                problem, wait = _sentence(answer), max(wait, _asked_pause(answer))
            tries += 1
            if self._clock() + wait > deadline:
                raise UnavailableError(
                    f"the remote backend {self.origin} gave no answer ({problem})",
                    remedy="see that it runs and can be reached; what it has computed is kept there",
                )
            self._sleep(wait)

    def _once(self, method: str, path: str, body: object) -> Answer:
        with closing(self._send(method, path, body)) as response:
            content = _bounded(response, self._clock)
            table = _table(content, response)
            pause = response.headers.get("Retry-After", "")
            return Answer(response.status_code, {**table, "retry_after": pause} if pause else table)

    def _send(self, method: str, path: str, body: object) -> Response:
        content = None if body is None else json.dumps(body, separators=(",", ":"), allow_nan=False).encode()
        return self._session.request(
            method,
            f"{self._root}{path}",
            data=content,
            headers={"Content-Type": "application/json"} if content is not None else {},
            timeout=(CONNECT, READ),
            verify=self._verify,
            allow_redirects=False,  # rows and the token go where the user said, and nowhere else
            stream=True,
        )

    def _error(self, answer: Answer) -> GateError:
        said = answer.table.get("error")
        texts = said if isinstance(said, dict) else {}
        what, where, remedy = (printable(str(texts.get(key, "")))[:_SHOWN] for key in ("what", "where", "remedy"))
        if answer.status == HTTPStatus.UNAUTHORIZED:
            return UsageError(f"{self.origin} does not know this token", remedy="ask its owner for one, and set it")
        if not what:
            return UnavailableError(
                f"{self.origin} answered {answer.status}, and is no d2b-gate server", remedy="correct the address"
            )
        made = _KINDS.get(str(texts.get("kind")), UnavailableError)
        return made(what, where=where, remedy=remedy)

    def failure(self, table: Mapping[str, object]) -> GateError:
        """The error of a job that failed on the server."""
        return self._error(Answer(HTTPStatus.UNPROCESSABLE_ENTITY, table))


def _bounded(response: Response, clock: Clock) -> bytes:
    content = bytearray()
    deadline = clock() + LONGEST
    for piece in response.iter_content(1 << 16):
        content += piece
        if len(content) > LARGEST:
            raise misheard(f"it is larger than {LARGEST} bytes")
        if clock() > deadline:
            raise misheard(f"it takes longer than {LONGEST:.0f} s")
    return bytes(content)


def _lines(pieces: Iterator[bytes]) -> Iterator[str]:
    """Split a stream at line feeds; a line of no end ends the stream."""
    line = bytearray()
    for piece in pieces:
        if piece == b"\n":
            yield line.decode("utf-8", "replace")
            line.clear()
        else:
            line += piece
        if len(line) > LONGEST_LINE:
            return


def _table(content: bytes, response: Response) -> Mapping[str, object]:
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        if response.status_code not in FINE:
            return {}
        raise misheard("it is not JSON") from None
    if not isinstance(said, dict):
        raise misheard("it is no table")
    return said


def _asked_pause(answer: Answer) -> float:
    text = str(answer.table.get("retry_after", ""))
    return min(float(text), _LONGEST_PAUSE) if text.isascii() and text.isdecimal() else 0.0


def _sentence(answer: Answer) -> str:
    said = answer.table.get("error")
    what = printable(str(said.get("what", "")))[:_SHOWN] if isinstance(said, dict) else ""
    return f"it answered {answer.status}{': ' + what if what else ''}"


def _in_words(error: Exception) -> str:
    """The reason without addresses of objects; requests nests three libraries' sentences."""
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted here; a private authority is named by 'ca' in your remotes.toml"
    if isinstance(error, requests.exceptions.Timeout):
        return "it took too long"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "no connection"
    return type(error).__name__
