"""The behaviour's level where only a part of the change's effect acts: does it grow steadily, or jump?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from d2b_gate.core.verdict import Dose
from d2b_gate.gate.between import between
from d2b_gate.gate.foretell import level

if TYPE_CHECKING:
    from d2b_gate.core.verdict import Finding
    from d2b_gate.gate.ports import Ports, Request
    from d2b_gate.gate.scene import Scene

STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)


def with_doses(finding: Finding, scene: Scene, request: Request, ports: Ports) -> Finding:
    """Add the level at each strength over the prompts that were asked first: raw, uncalibrated and not stretched.

    At 0 and 1 they are the two states themselves, whose readings are remembered.
    """
    doses = tuple(Dose(strength, _level(scene, strength, request, ports)) for strength in STRENGTHS)
    return replace(finding, doses=doses)


def _level(scene: Scene, strength: float, request: Request, ports: Ports) -> float:
    injection = between(scene.before, scene.after, strength)
    (replies,) = ports.predictor.read((scene.question,), injection, request.policy.method, ports.backend)
    return level(replies)
