"""The search for the fewest rows to take out, and what came of it; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from d2b_gate.core.rows import RowRef
    from d2b_gate.core.verdict import Finding, RowFinding


@dataclass(frozen=True, slots=True)
class Prefix:
    """How many of the foremost rows must go. ``size`` 0: no size that was tried passes."""

    size: int
    failed: int  # the largest smaller size that was tried and does not pass; 0: none
    ended_early: bool

    @property
    def smallest(self) -> bool:
        """Whether one row less was tried, or there is no row less to take out."""
        return self.size - self.failed == 1


def smallest_prefix(total: int, guess: int, passes: Callable[[int], bool], more: Callable[[], bool]) -> Prefix:
    """Find the smallest n in 1..total for which ``passes(n)``: from ``guess`` on by doubling, then by halving.

    Where removing more never hurts, it is the smallest; else one that passes while the next smaller tried does not.
    ``more`` is asked before every try; where it says no, the best so far stands.
    """
    failed, size, passed = 0, min(max(guess, 1), total), 0
    while total and not passed and more():
        if passes(size):
            passed = size
        elif size == total:
            return Prefix(0, total, ended_early=False)
        else:
            failed, size = size, min(2 * size, total)
    while passed - failed > 1 and more():
        middle = (passed + failed) // 2
        if passes(middle):
            passed = middle
        else:
            failed = middle
    return Prefix(passed, min(failed, passed), ended_early=passed == 0 or passed - failed > 1)


def neighbours(rows: Sequence[RowRef], among: Sequence[RowRef]) -> tuple[tuple[RowRef, ...], ...]:
    """Part rows into runs: those that follow each other in one file, none of ``among`` standing between them."""
    places = {place: number for number, place in enumerate(sorted({(ref.path, ref.line) for ref in among}))}
    runs: list[list[RowRef]] = []
    for ref in sorted(rows, key=lambda ref: (ref.path, ref.line)):
        last = runs[-1][-1] if runs else None
        if last is not None and last.path == ref.path and _step(places, last, ref) <= 1:
            runs[-1].append(ref)
        else:
            runs.append([ref])
    return tuple(tuple(run) for run in runs)


def _step(places: dict[tuple[str, int], int], one: RowRef, other: RowRef) -> int:
    return places[other.path, other.line] - places[one.path, one.line]


@dataclass(frozen=True, slots=True)
class Turned:
    """A finding that blocks, by its name, and what became of it without the rows; nothing where no row is left."""

    name: str
    before: Finding
    after: tuple[Finding, ...]
    wanted: bool  # whether it was to be cleared
    cleared: bool


@dataclass(frozen=True, slots=True)
class Quarantine:
    """What the search found."""

    scope: str
    away: tuple[tuple[RowRef, ...], ...]  # rows to take out, in runs with no other row between; none: nothing clears
    added: int  # rows that the change adds
    unranked: int  # of them, rows that the prediction did not meet, and so took their turn without a part of the shift
    turned: tuple[Turned, ...]
    broken: tuple[RowFinding, ...]  # rows that broke their schema, and are among those taken out
    tries: int
    seconds: float
    smallest: bool  # whether less of the ranking was tried and did not do; if not, time or tries had ended
    staying: int = 0  # rows that an earlier run blamed and that are not taken out
    stuck: tuple[tuple[str, str], ...] = ()  # files that no patch can change, each with why, and that need a change

    @property
    def rows(self) -> int:
        """How many rows are to be taken out."""
        return sum(len(run) for run in self.away)

    @property
    def left(self) -> tuple[Turned, ...]:
        """What was to be cleared and was not."""
        return tuple(one for one in self.turned if one.wanted and not one.cleared)

    @property
    def asked(self) -> bool:
        """Whether there was anything to clear."""
        return any(one.wanted for one in self.turned) or bool(self.broken)


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of the patch."""

    path: str  # where it lies; "-" for stdout
    places: tuple[str, ...] = ()  # where it was applied: "the index", "the working tree"; none: nowhere
    root: str = ""  # of the repository, where the commands to undo it must run; empty: here
    unlike: tuple[str, ...] = ()  # files of the working tree that were left as they are, for it does not fit them
