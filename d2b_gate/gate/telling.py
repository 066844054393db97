"""What the model is predicted to say, for the worst findings: answers, tokens that nobody listed, doses.

People see it; nothing of it is judged, and a finding stands without any of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.verdict import Shift
from d2b_gate.gate.doses import with_doses
from d2b_gate.gate.explain import EXPLAINED
from d2b_gate.gate.openset import with_tokens
from d2b_gate.gate.remembered import UNHAD
from d2b_gate.gate.sayings import with_sayings
from d2b_gate.gate.scene import scene_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from d2b_gate.core.verdict import Finding
    from d2b_gate.gate.evaluate import GroupEvidence
    from d2b_gate.gate.ports import Ports, Request
    from d2b_gate.gate.scene import Scene

    Places = Mapping[str, tuple[GroupEvidence, int]]
    Part = Callable[[Finding, Scene, Request, Ports], Finding]

MOST_TOLD = 2
"""Findings, the worst, that answers are asked for: each takes seconds, and a person reads these first."""


def told(
    findings: Sequence[Finding], places: Places, request: Request, ports: Ports, started: float
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Return the findings with what the model says, while time is left, and notes on what could not be had."""
    chosen = [one for one in findings if _acted_on(one) and one.rule.id in places][:MOST_TOLD]
    if chosen:
        ports.progress.stage("explaining", 0)
    more: dict[str, Finding] = {}
    scenes: dict[str, Scene] = {}
    notes: list[str] = []
    for finding in chosen:
        rule = finding.rule.id
        for name, part in _parts(finding, chosen[0], places).items():
            if ports.clock() - started > request.policy.budget.seconds:
                notes.append(f"{rule}: no time was left for its {name} (budget.seconds)")
                continue
            try:
                scenes[rule] = scenes.get(rule) or scene_of(finding, *places[rule], ports)
                finding = part(finding, scenes[rule], request, ports)
            except EvaluationError as error:
                notes.append(f"{rule}: its {name} {UNHAD} ({error.what})")
        more[rule] = finding
    return tuple(more.get(one.rule.id, one) for one in findings), tuple(notes)


def _acted_on(finding: Finding) -> bool:
    return finding.status in EXPLAINED and isinstance(finding.shift, Shift)


def _parts(finding: Finding, worst: Finding, places: Places) -> dict[str, Part]:
    """What to tell, the cheap first. Doses read the whole probe several times, so only the worst finding's is read."""
    parts: dict[str, Part] = {"answers": with_sayings, "tokens": with_tokens}
    (one, index), (other, place) = (places[each.rule.id] for each in (finding, worst))
    if one is other and one.asked[index].prompts == other.asked[place].prompts:
        parts["doses"] = with_doses
    return parts
