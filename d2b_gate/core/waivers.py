"""Waivers: permissions to exceed one rule's limit, bounded by rows or files, by a cap, and by a day."""

from __future__ import annotations

import hashlib
import heapq
import math
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from d2b_gate.core.judge import beyond, far_end, worst_first
from d2b_gate.core.row_lists import in_key_order
from d2b_gate.core.verdict import Shift, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from d2b_gate.core.rows import RowDiff, RowRef
    from d2b_gate.core.verdict import Finding

_HASHED = "d2b-gate.change/1"


@dataclass(frozen=True, slots=True)
class Waiver:
    """A permission for one rule. ``paths`` or ``rows_hash`` says for what; one that names neither covers nothing."""

    rule: str
    max_delta: float  # in the probe's unit, in the rule's direction
    owner: str
    approver: str
    reason: str
    expires: str  # the last day (UTC) on which it covers anything: YYYY-MM-DD
    paths: tuple[str, ...] = ()  # globs that every changed file must match; empty: any file
    rows_hash: str = ""  # of the changed rows, see `rows_hash`; empty: any rows
    origin: str = ""  # file:line that wrote it


@dataclass(frozen=True, slots=True)
class Waivers:
    """The waivers that stand, and the day (UTC, YYYY-MM-DD) on which they are asked."""

    entries: tuple[Waiver, ...] = ()
    today: str = ""


@dataclass(frozen=True, slots=True)
class Touched:
    """What a change did to the datasets that one rule judges."""

    paths: tuple[str, ...]
    rows_hash: str


class Hindrance(Enum):
    """Why a waiver does not cover a finding of its rule."""

    EXPIRED = "expired"
    FILES = "files"
    ROWS = "rows"
    SHIFT = "shift"


def waive(
    findings: Sequence[Finding],
    waivers: Waivers,
    touched: Mapping[str, Touched],
    matches: Callable[[tuple[str, ...], str], bool],
) -> tuple[Finding, ...]:
    """Mark what is covered as waived, worst first; every finding says what it judged, so that it can be waived later.

    ``touched`` is by rule id. ``matches`` says whether one of some globs matches a path.
    """
    return worst_first([_waived(finding, waivers, touched, matches) for finding in findings])


def _waived(
    finding: Finding,
    waivers: Waivers,
    touched: Mapping[str, Touched],
    matches: Callable[[tuple[str, ...], str], bool],
) -> Finding:
    change = touched.get(finding.rule.id)
    if change is None:
        return finding
    finding = replace(finding, rows_hash=change.rows_hash)
    if not waivable(finding):
        return finding
    covering = tuple(
        waiver
        for waiver in waivers.entries
        if waiver.rule == finding.rule.id and not hindrances(waiver, finding, change, waivers.today, matches)
    )
    return replace(finding, status=Status.WAIVED, blocks=False, waived_by=covering) if covering else finding


def waivable(finding: Finding) -> bool:
    """Whether a finding blocks for a shift that was predicted; a rule that was not measured can never be waived."""
    blocking = finding.status is Status.FAIL or (finding.status is Status.INCONCLUSIVE and finding.blocks)
    return blocking and isinstance(finding.shift, Shift)


def hindrances(
    waiver: Waiver,
    finding: Finding,
    change: Touched,
    today: str,
    matches: Callable[[tuple[str, ...], str], bool],
) -> tuple[Hindrance, ...]:
    """Return why the waiver does not cover a finding of its rule; nothing where it does.

    The far end of the interval is held to the cap: the shift may be as large as that, and an approver who agreed to a
    cap has not agreed to what lies past it.
    """
    inside = all(matches(waiver.paths, path) for path in change.paths)
    found = {
        Hindrance.EXPIRED: not (today and today <= waiver.expires),  # without a day, no waiver is known to stand
        Hindrance.FILES: bool(waiver.paths) and not inside,
        Hindrance.ROWS: waiver.rows_hash != change.rows_hash if waiver.rows_hash else not waiver.paths,
        Hindrance.SHIFT: not _furthest(finding) <= waiver.max_delta,
    }
    return tuple(hindrance for hindrance, stands in found.items() if stands)


def _furthest(finding: Finding) -> float:
    """How far the shift may go; where the guard made the rule fail, how far its part of the change may."""
    if not isinstance(finding.shift, Shift):
        return math.inf
    shifts = [finding.shift]
    if not beyond(finding.rule, finding.shift):
        shifts += [view.shift for view in finding.views if view.fired and finding.status is Status.FAIL]
    return max(far_end(finding.rule, shift) for shift in shifts)


def rows_hash(changes: Iterable[tuple[str, RowDiff]]) -> str:
    """Name the changed rows of some datasets, given as (name, difference): sha256 in hex.

    What is hashed is one line per added row (``+ <key> <dataset>``) and per removed row (``- <key> <dataset>``),
    sorted, after the line ``d2b-gate.change/1``, each with its newline. A row's key is the hash of its content, so
    neither order nor files nor line numbers count; a row that occurs twice has two lines, and one that goes to another
    dataset, which may weigh more, is another change.
    """
    changes = tuple(changes)
    digest = hashlib.sha256(f"{_HASHED}\n".encode())
    for sign, sides in (("+", [diff.added for _, diff in changes]), ("-", [diff.removed for _, diff in changes])):
        named = zip(changes, sides, strict=True)
        for line in heapq.merge(*(_lines(sign, name, refs) for (name, _), refs in named)):
            digest.update(line.encode())
    return digest.hexdigest()


def _lines(sign: str, name: str, refs: Sequence[RowRef]) -> Iterator[str]:
    return (f"{sign} {key} {name}\n" for key, _, _ in in_key_order(refs))
