"""`probe try`: what the untouched model answers to a probe, and what clean changes would do to the answer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.errors import UsageError
from d2b_gate.core.interval import estimate, holm
from d2b_gate.core.mixture import Mixture
from d2b_gate.core.noise import Move, Null
from d2b_gate.core.ports import Question
from d2b_gate.core.reading import Measured
from d2b_gate.core.student import upper_tail
from d2b_gate.gate.foretell import foretell
from d2b_gate.gate.measure import ask_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.ports import ModelCard
    from d2b_gate.core.reading import Probe, Prompt
    from d2b_gate.core.rules import MethodSpec
    from d2b_gate.gate.foretell import Foretold
    from d2b_gate.gate.ports import Ports

FEWEST_PLACEBOS = 3
"""As in a policy's method: a spread of two is no spread."""
SIGNIFICANCE = 0.05
"""Adjusted p under which held-back prompts are said to read otherwise than the asked ones."""


@dataclass(frozen=True, slots=True)
class Clean:
    """What shipped clean changes do to one behaviour, in the probe's unit."""

    shifts: tuple[float, ...]
    floor: float  # the noise floor at the policy's confidence: one more clean change stays under it


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One target of the probe (none, for a contrast), read from the untouched model."""

    target: str
    asked: Measured
    held_back: tuple[Measured, ...]  # one, or none where the probe holds nothing back
    p: float  # that asked and held-back prompts say the same, adjusted over the targets; 1 where nothing is held back
    clean: tuple[Clean, ...]  # one, or none where no placebo was asked for


@dataclass(frozen=True, slots=True)
class Attempt:
    """Everything that was read."""

    probe: Probe
    card: ModelCard
    behaviours: tuple[Behaviour, ...]

    @property
    def apart(self) -> tuple[Behaviour, ...]:
        """Behaviours of which the held-back prompts say something else than the asked ones."""
        return tuple(one for one in self.behaviours if one.p < SIGNIFICANCE)


def attempt(probe: Probe, method: MethodSpec, placebos: int, ports: Ports) -> Attempt:
    """Read every target of a probe on the untouched model, and under ``placebos`` shipped clean changes.

    Raises:
        UsageError: a number of placebos that gives no noise floor.
        ProbeUnreadableError: this model cannot answer the probe.
    """
    names = _names(placebos, ports)
    targets = ports.kinds[probe.kind].targets(probe) or ("",)
    ports.progress.stage("reading", len(names) * method.steps)
    asked, held_back = (_values(probe, targets, part, method, ports) for part in (probe.asked(), probe.held_back()))
    clean = _clean(probe, targets, names, method, ports)
    p_values = holm([_p_same(*pair) for pair in zip(asked, held_back, strict=True)])
    behaviours = tuple(
        Behaviour(
            target,
            _measured(asked[i], method),
            (_measured(held_back[i], method),) if held_back[i] else (),
            p_values[i],
            clean[i] if clean else (),
        )
        for i, target in enumerate(targets)
    )
    return Attempt(probe, ports.backend.card, behaviours)


def _names(placebos: int, ports: Ports) -> list[str]:
    known = sorted(ports.controls.placebos)
    if placebos and not FEWEST_PLACEBOS <= placebos <= len(known):
        remedy = f"give {FEWEST_PLACEBOS} to {len(known)}, or leave it out"
        raise UsageError(f"--placebos {placebos} gives no noise floor", remedy=remedy)
    return known[:placebos]


def _questions(probe: Probe, targets: Sequence[str], prompts: tuple[Prompt, ...], ports: Ports) -> tuple[Question, ...]:
    return tuple(Question(probe, target, ports.kinds[probe.kind], prompts) for target in targets)


def _values(
    probe: Probe, targets: Sequence[str], prompts: tuple[Prompt, ...], method: MethodSpec, ports: Ports
) -> list[tuple[float, ...]]:
    """values[target][prompt] on the untouched model."""
    if not prompts:
        return [() for _ in targets]
    nothing = Mixture((), (), 0.0, 0.0)
    replies = ask_state(nothing, _questions(probe, targets, prompts, ports), method, ports)
    return [one.values for one in replies]


def _measured(values: tuple[float, ...], method: MethodSpec) -> Measured:
    found = estimate((values,), method.confidence, method.seed)
    return Measured(found.mean, found.low, found.high)


def _p_same(asked: Sequence[float], held_back: Sequence[float]) -> float:
    """Two-sided Welch test of equal means; 1 where a side has too few prompts for a spread."""
    if len(asked) < 2 or len(held_back) < 2:
        return 1.0
    (mean, square), (other, other_square) = (_moments(values) for values in (asked, held_back))
    total = square + other_square
    if total == 0.0:
        return 1.0 if mean == other else 0.0
    dof = total**2 / (square**2 / (len(asked) - 1) + other_square**2 / (len(held_back) - 1))
    return min(1.0, 2 * upper_tail(abs(mean - other) / math.sqrt(total), dof))


def _moments(values: Sequence[float]) -> tuple[float, float]:
    """Mean, and the square of its standard error."""
    mean = math.fsum(values) / len(values)
    spread = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return mean, spread / len(values)


def _clean(
    probe: Probe, targets: Sequence[str], names: Sequence[str], method: MethodSpec, ports: Ports
) -> list[tuple[Clean]]:
    """Per target, what each placebo does when it is all there is to train on, as `calibrate` predicts it."""
    questions = _questions(probe, targets, probe.asked(), ports)
    shifts = [foretell(ports.controls.placebos[name], questions, method, ports) for name in names]
    return [(_one_clean(several, method),) for several in zip(*shifts, strict=True)]


def _one_clean(several: Sequence[Foretold], method: MethodSpec) -> Clean:
    null = Null(tuple(one.shift for one in several))
    first = several[0]
    move = Move.exact(first.before, first.shift, first.unit, first.extent)
    return Clean(null.shifts, null.floor(move, method.confidence))
