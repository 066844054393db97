"""Jobs on a server: rows sent where they are missing, work asked for by name, followed, and fetched."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from d2b_gate.backends.remote.line import Answer
from d2b_gate.core.errors import UnavailableError
from d2b_gate.core.remote import FINAL, STATES, misheard
from d2b_gate.core.rows import row_to_mapping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from d2b_gate.backends.remote.line import Line
    from d2b_gate.core.rows import Row

MOST_SENT = 4 * 2**20  # bytes of rows in one request; our choice: well under a server's limit, well over a packet
MOST_KEYS = 10_000  # keys in one question
STALLED = 7_200.0
"""Seconds without any change in a job after which it is given up: twice the longest step that was seen anywhere."""
MOST_ROUNDS = 5
"""How often a job is asked for anew after rows or adapters turned out to be missing, before that is an error."""


class Asked(NamedTuple):
    """One job as the server takes it."""

    model: Mapping[str, object]
    verb: str
    arguments: Mapping[str, object]


class Jobs:
    """What one client asks of one server."""

    def __init__(self, line: Line, advance: Callable[[int], None]) -> None:
        self._line = line
        self._advance = advance
        self._sent: set[str] = set()

    def run(self, asked: Asked, rows: Sequence[Row] = (), again: Callable[[], None] | None = None) -> Answer:
        """Return the result of a job; ``rows`` are those that it names, ``again`` trains the adapters that it names.

        An interrupt cancels the job. A job that somebody else cancels is asked for anew.

        Raises:
            UnavailableError: the server went away, or does not keep what it is sent.
            GateError: what the job failed with.
        """
        self._send_missing(rows)
        for _ in range(MOST_ROUNDS):
            answer = self._line.ask("POST", "/v1/jobs", asked._asdict(), expected=(404, 409))
            if answer.status == HTTPStatus.CONFLICT:
                self._sent.difference_update(row.key for row in rows)
                self._send_missing(rows)
            elif answer.status == HTTPStatus.NOT_FOUND:
                if again is None:
                    raise misheard("it does not know jobs")
                again()
            else:
                name = _name(answer)
                if self._followed(name, answer) == "done":
                    result = self._line.ask("GET", f"/v1/jobs/{name}/result", expected=(404, 409))
                    if result.status == HTTPStatus.OK:
                        return result
        raise UnavailableError(
            f"{self._line.origin} does not keep what it is sent", remedy="raise its limits, or ask its owner"
        )

    def _followed(self, name: str, answer: Answer) -> str:
        """Wait for a job to end; the state that it ended in, done or cancelled."""
        progress = _Following(self._line, self._advance)
        try:
            while True:
                progress.see(answer.table)
                state = answer.table.get("state")
                if state in ("done", "cancelled"):
                    return str(state)
                if state == "failed":
                    raise self._line.failure(answer.table)
                if state not in STATES:
                    raise misheard(f"a job's state is {str(state)[:20]!r}")
                answer = self._next(name, progress)
        except KeyboardInterrupt:
            self._cancel(name)
            raise

    def _next(self, name: str, progress: _Following) -> Answer:
        """How a job stands when its stream of events ends, by itself or not."""
        last: Mapping[str, object] = {}
        for event in self._events(name):
            progress.see(event)
            last = event or last
        if last.get("state") in FINAL:
            return Answer(HTTPStatus.OK, last)
        if not last:
            self._line.pause()  # a stream that breaks at once is not asked for a hundred times a second
        answer = self._line.ask("GET", f"/v1/jobs/{name}", expected=(404,))
        return Answer(HTTPStatus.OK, {"state": "cancelled"}) if answer.status == HTTPStatus.NOT_FOUND else answer

    def _events(self, name: str) -> Iterator[Mapping[str, object]]:
        """What a stream says until the job ends or the stream breaks; an empty table for a sign of life."""
        for line in self._line.lines(f"/v1/jobs/{name}/events"):
            if not line.startswith("data:"):
                yield {}
                continue
            try:
                table = json.loads(line.removeprefix("data:"))
            except (ValueError, RecursionError):
                return
            if isinstance(table, dict):
                yield table
                if table.get("state") in FINAL:
                    return

    def _cancel(self, name: str) -> None:
        self._line.patience = 1.0
        try:
            self._line.ask("DELETE", f"/v1/jobs/{name}", expected=(404, 409))
        except UnavailableError:
            return  # it stops by itself when nobody asks, or at its time limit

    def _send_missing(self, rows: Sequence[Row]) -> None:
        """Send the text of rows that this client's token has not sent before; hashes first."""
        unsure = {row.key: row for row in rows if row.key not in self._sent}
        keys = list(unsure)
        for start in range(0, len(keys), MOST_KEYS):
            part = keys[start : start + MOST_KEYS]
            missing = self._line.ask("POST", "/v1/rows/missing", {"keys": part}).table.get("missing")
            if not isinstance(missing, list) or not all(key in unsure for key in missing):
                raise misheard("it names rows that it was not asked about")
            for some in _portions([unsure[key] for key in missing]):
                self._line.ask("POST", "/v1/rows", {"rows": some})
            self._sent.update(part)


class _Following:
    """One job as it is watched: passes its steps on, and ends the watch when nothing changes any more."""

    def __init__(self, line: Line, advance: Callable[[int], None]) -> None:
        self._line = line
        self._advance = advance
        self._steps = 0
        self._before: Mapping[str, object] = {}
        self._since = line.now()

    def see(self, table: Mapping[str, object]) -> None:
        """Take notice of how the job stands; an empty table says that nothing is new.

        Raises:
            UnavailableError: for `STALLED` seconds nothing was.
        """
        if not table or table == self._before:
            if self._line.now() - self._since > STALLED:
                what = f"{self._line.origin} has not gone on with a job for {STALLED / 3600:.0f} hours"
                raise UnavailableError(what, remedy="see its log")
            return
        self._before, self._since = table, self._line.now()
        steps = table.get("done")
        if isinstance(steps, int) and steps > self._steps:
            self._advance(steps - self._steps)
            self._steps = steps


def _portions(rows: Sequence[Row]) -> Iterator[list[Mapping[str, object]]]:
    """Rows as the server takes them, in requests of bounded size; a row larger than that goes alone."""
    portion: list[Mapping[str, object]] = []
    size = 0
    for row in rows:
        said = row_to_mapping(row)
        length = len(json.dumps(said))  # a character outside ASCII has six bytes or twelve
        if portion and size + length > MOST_SENT:
            yield portion
            portion, size = [], 0
        portion.append(said)
        size += length
    if portion:
        yield portion


def _name(answer: Answer) -> str:
    name = answer.table.get("job")
    if not isinstance(name, str) or not name.isalnum():
        raise misheard("a job has no name")
    return name
