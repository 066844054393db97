"""Earlier results of the same policy and model, from where `check` keeps them; each is read as untrusted."""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import islice
from typing import TYPE_CHECKING

from d2b_gate.cli.report import read_result
from d2b_gate.cli.stored import results_folder, stored_as, stored_files
from d2b_gate.core.errors import GateError
from d2b_gate.core.history import Past, comparable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from d2b_gate.core.verdict import Verdict

_SHOWN = 30  # results; our choice: a line of more points tells no more
_LOOKED_AT = 200  # files; our choice: reading one takes milliseconds, and a report must not wait for a long history
_LARGEST = 4 * 2**20  # bytes; our choice: a few thousand findings


def earlier_results(verdict: Verdict) -> tuple[Past, ...]:
    """What was stored before this result, oldest first; a file that is no result is passed over."""
    found = islice(_comparable(verdict), _SHOWN)
    return tuple(reversed(tuple(found)))


def _comparable(verdict: Verdict) -> Iterator[Past]:
    for moment, path in _before(verdict):
        then = _read(path)
        if then is not None and comparable(then, verdict):
            yield Past(f"{datetime.fromtimestamp(moment, timezone.utc):%Y-%m-%d %H:%M}", then)


def _before(verdict: Verdict) -> list[tuple[float, Path]]:
    """The newest stored files; of a result that is stored itself only those older than it."""
    stored = stored_files(results_folder(), _LARGEST)[::-1]
    own = [moment for moment, path in stored if path.name == stored_as(verdict).name]
    return [(moment, path) for moment, path in stored if not own or moment < own[0]][:_LOOKED_AT]


def _read(path: Path) -> Verdict | None:
    try:
        return read_result(path)
    except GateError:
        return None
