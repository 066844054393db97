"""What a change does to the waivers: one sentence per waiver that comes, goes or differs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from d2b_gate.core.waivers import Waiver

    Scope = tuple[str, tuple[str, ...], str]

_HASH = 12  # characters shown of a digest


def waiver_diff(before: Sequence[Waiver], after: Sequence[Waiver]) -> tuple[str, ...]:
    """Compare two states by what waivers cover; where one stands in its file is no difference."""
    old, new = _by_scope(before), _by_scope(after)
    return (*_gone(old, new), *_come_or_changed(old, new))


def _by_scope(waivers: Sequence[Waiver]) -> dict[Scope, Waiver]:
    return {(waiver.rule, waiver.paths, waiver.rows_hash): waiver for waiver in waivers}


def _gone(old: dict[Scope, Waiver], new: dict[Scope, Waiver]) -> Iterator[str]:
    for scope, waiver in old.items():
        if scope not in new:
            yield f"removes the waiver {_name(waiver)}"


def _come_or_changed(old: dict[Scope, Waiver], new: dict[Scope, Waiver]) -> Iterator[str]:
    for scope, waiver in new.items():
        if scope not in old:
            people = f"owner {waiver.owner}, approver {waiver.approver}"
            yield f"adds a waiver {_name(waiver)}, up to {waiver.max_delta:g}, through {waiver.expires}, {people}"
        elif replace(old[scope], origin=waiver.origin) != waiver:
            yield f"changes the waiver {_name(waiver)}: {'; '.join(_differences(old[scope], waiver))}"


def _differences(old: Waiver, new: Waiver) -> Iterator[str]:
    if old.max_delta != new.max_delta:
        yield f"its cap from {old.max_delta:g} to {new.max_delta:g}"
    for label, was, now in (
        ("its last day", old.expires, new.expires),
        ("its owner", old.owner, new.owner),
        ("its approver", old.approver, new.approver),
    ):
        if was != now:
            yield f"{label} from {was} to {now}"
    if old.reason != new.reason:
        yield "its reason"


def _name(waiver: Waiver) -> str:
    rows = f"rows {waiver.rows_hash[:_HASH]}" if waiver.rows_hash else ""
    scope = " in ".join(part for part in (rows, " ".join(waiver.paths)) if part)
    return f"for {waiver.rule} on {scope} ({waiver.origin})"
