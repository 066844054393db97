"""Differences between two policies as lines; every text of them is untrusted."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from d2b_gate.core.policy_effect import Effect
from d2b_gate.reports.describe import NAME, PATH
from d2b_gate.reports.escape import terminal
from d2b_gate.reports.layout import wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.policy_change import PolicyChange
    from d2b_gate.core.verdict import Verdict
    from d2b_gate.reports.interface import RenderOptions

_INDENT, _REST = " " * 10, " " * 12
_VALUE = 200  # characters shown of a value


def in_words(change: PolicyChange) -> str:
    """``loosens rule panda.fail_delta: 0.03 -> 0.05``; of what one side has alone, ``added`` or ``removed``."""
    return f"{change.effect.value} {without_effect(change)}"


def without_effect(change: PolicyChange) -> str:
    """The same for a table that has the effect in a column of its own."""
    subject = terminal(f"{terminal(change.kind, NAME)} {terminal(change.subject, PATH)}", NAME + PATH)
    before, after = terminal(change.before, _VALUE), terminal(change.after, _VALUE)
    if not change.before:
        return f"{subject}: added ({after})" if after else f"{subject}: added"
    if not change.after:
        return f"{subject}: removed ({before})"
    return f"{subject}: {before} -> {after}"


def line(change: PolicyChange) -> str:
    """``file:line: loosens rule panda.fail_delta: 0.03 -> 0.05``."""
    return terminal(f"{terminal(change.where, PATH)}: {in_words(change)}" if change.where else in_words(change), 1000)


def policy_edits(verdict: Verdict, options: RenderOptions) -> list[str]:
    """The head's edits of the policy, below the verdict that they did not influence."""
    if not verdict.policy_changes:
        return []
    told = (
        f"this change edits the policy too ({effects(verdict.policy_changes)}); "
        "the verdict is by the policy of the base commit"
    )
    lines = [part for change in verdict.policy_changes for part in wrapped(line(change), options.width, _INDENT, _REST)]
    return [*wrapped(told, options.width, f"{'policy':<{len(_INDENT)}}"), *lines]


def effects(changes: Sequence[PolicyChange]) -> str:
    """``2 loosen, 1 tightens``."""
    counts = Counter(change.effect for change in changes)
    return ", ".join(_counted(counts[effect], effect) for effect in Effect if counts[effect])


def _counted(count: int, effect: Effect) -> str:
    one, many = _WORDS[effect]
    return f"{count} {one if count == 1 else many}"


_WORDS = {
    Effect.LOOSENS: ("loosens", "loosen"),
    Effect.UNCLEAR: ("may go either way", "may go either way"),
    Effect.TIGHTENS: ("tightens", "tighten"),
    Effect.NEITHER: ("changes no verdict", "change no verdict"),
}
