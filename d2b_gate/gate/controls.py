"""Controls in every run: a canary that must fire and a null that must stay silent; remembered per model and method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.mixture import Mixture
from d2b_gate.core.ports import Question
from d2b_gate.core.verdict import Control
from d2b_gate.gate.measure import ask_state

if TYPE_CHECKING:
    from d2b_gate.core.rows import Row
    from d2b_gate.core.rules import MethodSpec
    from d2b_gate.gate.ports import Ports

FIRES = 0.10
"""Share that the canary's rows must add to their target: a plain lesson that any working predictor sees."""
SILENT = 0.05
"""Share that clean rows may add to the same target."""


def run_controls(method: MethodSpec, ports: Ports) -> tuple[Control, ...]:
    """Predict what the canary's rows, and what clean rows, do to the canary's probe on the untouched model."""
    untouched = _level(_all_of(()), method, ports)
    fired = _level(_all_of(ports.controls.canary), method, ports) - untouched
    stirred = _level(clean_state(ports), method, ports) - untouched
    return (
        Control("canary", fired >= FIRES, f"predicted shift {fired:+.1%}, must reach {FIRES:+.0%}"),
        Control("null", abs(stirred) <= SILENT, f"predicted shift {stirred:+.1%}, must stay within {SILENT:.0%}"),
    )


def clean_state(ports: Ports) -> Mixture:
    """Clean rows as all there is to train on; every run has tuned on them."""
    return _all_of(ports.controls.placebos[max(ports.controls.placebos)])  # not among the first few, the null's


def _all_of(rows: tuple[Row, ...]) -> Mixture:
    return Mixture((), rows, 1.0 if rows else 0.0, float(len(rows)))


def _level(mixture: Mixture, method: MethodSpec, ports: Ports) -> float:
    controls = ports.controls
    question = Question(controls.probe, controls.target, ports.kinds[controls.probe.kind], controls.probe.asked())
    return ask_state(mixture, (question,), method, ports)[0].level
