"""What to look at in waivers that are valid: nothing here makes a run fail."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from d2b_gate.core.rules import Rule
    from d2b_gate.core.waivers import Waiver, Waivers

SOON = 14
"""Days before the end from which it is said; our choice: one sprint to decide."""
LONG = 90
"""Days past which a waiver is no exception any more; our choice: a quarter."""
CLIFF = 3
"""Waivers that end on one day and so come up for decision together."""


def lint_waivers(waivers: Waivers, rules: Sequence[Rule]) -> tuple[str, ...]:
    """Return one sentence per thing to look at, each with ``file:line``, in the order of the file."""
    by_id = {rule.id: rule for rule in rules}
    notes = [note for waiver in waivers.entries for note in _notes(waiver, by_id.get(waiver.rule), waivers.today)]
    return (*notes, *_cliffs(waivers))


def days_left(waiver: Waiver, today: str) -> int:
    """Days from today to the last day of a waiver: 0 on that day, negative after it."""
    return (date.fromisoformat(waiver.expires) - date.fromisoformat(today)).days


def _notes(waiver: Waiver, rule: Rule | None, today: str) -> Iterator[str]:
    left, what = days_left(waiver, today), f"{waiver.origin}: the waiver for {waiver.rule}"
    if left < 0:
        yield f"{what} expired on {waiver.expires} and covers nothing; `d2b-gate waive prune` removes it"
    elif left <= SOON:
        yield f"{what} expires {_in_days(left)}, on {waiver.expires}"
    elif left > LONG:
        yield f"{what} is for {left} more days; an exception should end within {LONG}"
    if rule is not None and left >= 0:
        yield from _rule_notes(waiver, rule, what)


def _rule_notes(waiver: Waiver, rule: Rule, what: str) -> Iterator[str]:
    if rule.locked:
        yield f"{what} waives a locked rule"
    if waiver.max_delta < rule.fail_delta and math.isinf(rule.max_level):
        yield f"{what} can never cover anything: its cap {waiver.max_delta:g} is under the limit {rule.fail_delta:g}"


def _cliffs(waivers: Waivers) -> Iterator[str]:
    standing = [waiver for waiver in waivers.entries if days_left(waiver, waivers.today) >= 0]
    for day, count in sorted(Counter(waiver.expires for waiver in standing).items()):
        if count >= CLIFF:
            places = ", ".join(waiver.origin for waiver in standing if waiver.expires == day)
            yield f"{count} waivers expire together on {day} ({places}); spread them"


def _in_days(left: int) -> str:
    return "today" if left == 0 else "in 1 day" if left == 1 else f"in {left} days"
