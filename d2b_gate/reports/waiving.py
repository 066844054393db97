"""What a report says of waivers; whoever reads of a waived finding reads who answers for it, why, how far, how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.reports.describe import NAME, PATH, SENTENCE
from d2b_gate.reports.escape import terminal
from d2b_gate.reports.numbers import signed_limit

if TYPE_CHECKING:
    from d2b_gate.core.rules import Rule
    from d2b_gate.core.verdict import Finding
    from d2b_gate.core.waivers import Waiver

_HASH = 12  # characters shown of a digest; the file has all of them


def waivers_of(finding: Finding) -> list[str]:
    """One sentence per waiver that covers the finding."""
    return [in_words(waiver, finding) for waiver in finding.waived_by]


def in_words(waiver: Waiver, finding: Finding) -> str:
    """``up to +20.0 pt through 2026-12-01 (UTC), owner @a, approver @b, file:line: reason``."""
    parts = [
        f"{cap_of(waiver, finding.rule, finding.unit)} through {terminal(waiver.expires, NAME)} (UTC)",
        f"owner {terminal(waiver.owner, NAME)}",
        f"approver {terminal(waiver.approver, NAME)}",
        *([terminal(waiver.origin, PATH)] if waiver.origin else []),
    ]
    # escaped once more as a whole: a text that is a colon must not make a command of itself and the colon after it
    return terminal(f"{', '.join(parts)}: {terminal(waiver.reason, SENTENCE)}", SENTENCE * 2)


def cap_of(waiver: Waiver, rule: Rule, unit: str) -> str:
    """``up to +20.0 pt``."""
    return f"up to {signed_limit(rule, waiver.max_delta, unit)}"


def scope_of(waiver: Waiver) -> str:
    """``rows 1f3a5b7c9d0e in data/*.jsonl``."""
    rows = f"rows {terminal(waiver.rows_hash, NAME)[:_HASH]}" if waiver.rows_hash else ""
    paths = " ".join(terminal(glob, PATH) for glob in waiver.paths)
    return " in ".join(part for part in (rows, paths) if part)
