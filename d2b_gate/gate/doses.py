"""The behaviour's level where only a part of the change's effect acts: does it grow steadily, or jump?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from d2b_gate.core.verdict import Dose
from d2b_gate.gate.between import between

if TYPE_CHECKING:
    from d2b_gate.core.verdict import Finding
    from d2b_gate.gate.ports import Ports, Request
    from d2b_gate.gate.scene import Scene

STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
MOST_PROMPTS = 12
"""Of the probe, its first: reading all of them three times more would cost as much as the other explanations together,
and with and without an empty system turn there are as many."""


def with_doses(finding: Finding, scene: Scene, request: Request, ports: Ports) -> Finding:
    """Add the level at each strength over the probe's first prompts: raw, uncalibrated and not stretched.

    At 0 and 1 they are the two states themselves, whose readings are remembered.
    """
    doses = tuple(Dose(strength, _level(scene, strength, request, ports)) for strength in STRENGTHS)
    return replace(finding, doses=doses)


def _level(scene: Scene, strength: float, request: Request, ports: Ports) -> float:
    whole = scene.question
    few = replace(whole, prompts=whole.prompts[:MOST_PROMPTS])
    injection = between(scene.before, scene.after, strength)
    asked = whole if strength in (0.0, 1.0) else few  # as it was asked when the states were read
    (replies,) = ports.predictor.read((asked,), injection, request.policy.method, ports.backend)
    return replace(replies, values=replies.values[: len(few.prompts)]).level
