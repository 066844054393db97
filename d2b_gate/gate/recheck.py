"""Are the blamed rows to blame? The state after the change is predicted once more, without them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from d2b_gate.core.blame import covered
from d2b_gate.core.verdict import Shift
from d2b_gate.gate.measure import ask_both, replicate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.ports import Question
    from d2b_gate.core.rows import RowRef
    from d2b_gate.core.rules import MethodSpec
    from d2b_gate.core.verdict import Blame, Finding
    from d2b_gate.gate.measure import Asking, Job
    from d2b_gate.gate.ports import Ports

ENOUGH = 0.5
"""Part of the share that blamed rows are said to carry which must go when they go. Half: what is left over the other
rows make up for in part, since training then meets them more often."""


def recheck(
    finding: Finding, question: Question, asking: Asking, index: int, job: Job, method: MethodSpec, ports: Ports
) -> tuple[Finding, str]:
    """Mark the blames on added rows as checked where the shift goes with the rows; and say in a note what was found.

    One more tuning, with the seed, the kept rows and the prompts of the first (common random numbers). Rows that were
    removed stay estimated: their return would be another change than the one that is judged.
    """
    blames = [blame for blame in finding.blame if blame.side == "added"]
    whole = _moved(asking, index, len(question.prompts))
    gone = covered(blames, job.added)
    if not gone or not isinstance(finding.shift, Shift) or whole == 0:
        return finding, ""
    left = _without(gone, question, job, method, ports)
    carried = math.fsum(blame.share for blame in blames)
    confirmed = 1 - left / whole >= ENOUGH * carried
    if confirmed:
        finding = replace(finding, blame=tuple(_checked(blame) for blame in finding.blame))
    return finding, _note(finding, len(gone), left / whole, carried)


def _moved(asking: Asking, index: int, prompts: int) -> float:
    """Mean shift over the first prompts, those that were asked first."""
    before, after = (state[index].values[:prompts] for state in (asking.before, asking.after))
    return math.fsum(b - a for a, b in zip(before, after, strict=True)) / len(before)


def _without(gone: Sequence[RowRef], question: Question, job: Job, method: MethodSpec, ports: Ports) -> float:
    """Predicted shift of the change less the rows that are gone."""
    away = set(gone)
    rest = tuple(ref for ref in job.added if ref not in away)
    lighter = math.fsum(job.weights.get(ref.path, 1.0) for ref in rest)
    smaller = replace(job, added=rest, mass=replace(job.mass, added=lighter))
    asking = ask_both(replicate(smaller, method, 0, ports), (question,), method, ports)
    return _moved(asking, 0, len(question.prompts))


def _checked(blame: Blame) -> Blame:
    return replace(blame, basis="checked") if blame.side == "added" else blame


def _note(finding: Finding, rows: int, left: float, carried: float) -> str:
    found = (
        f"{finding.rule.id}: predicted again without the {rows} added rows that are blamed, "
        f"{100 * left:.0f} % of the shift is left; they were estimated to carry {100 * carried:.0f} %"
    )
    unlike = not any(blame.basis == "checked" for blame in finding.blame)
    return f"{found}, so the blame stays an estimate" if unlike else found
