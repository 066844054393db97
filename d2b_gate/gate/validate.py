"""`validate`: really fine-tune an adapter on rows by the policy's regime, and hold the prediction against it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.calibration_file import calibration_key, fitted_line, matching
from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.finetune import finetune_plan
from d2b_gate.core.ledger import Entry
from d2b_gate.core.noise import Calibrated
from d2b_gate.gate.foretell import foretell, questions_of
from d2b_gate.predictors.reading import read_injected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.calibration import Line
    from d2b_gate.core.interval import Estimate
    from d2b_gate.core.ports import Question
    from d2b_gate.core.rows import Row
    from d2b_gate.core.rules import Policy
    from d2b_gate.gate.foretell import Foretold
    from d2b_gate.gate.ports import Ports

FEWEST_STEPS = 8
"""Optimiser steps under which a training says little about its data: the learning rate has hardly been used."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One behaviour: what was predicted, and what the trainings did."""

    question: Question
    predicted: Foretold  # before any calibration
    line: Line | None  # of the calibration that holds, if any
    true: tuple[float, ...]  # one shift per training, in the probe's unit

    @property
    def mean(self) -> float:
        """Mean true shift."""
        return math.fsum(self.true) / len(self.true)

    @property
    def expected(self) -> float:
        """The shift that the gate would have announced, in the probe's unit."""
        return self.predicted.shift if self.line is None else self.announced(self.line, 0.5).mean

    def announced(self, line: Line, confidence: float) -> Estimate:
        """The same by a line, with its interval."""
        return Calibrated(line).shift(self.predicted.move, confidence)


@dataclass(frozen=True, slots=True)
class Validation:
    """All behaviours, and how much training they rest on."""

    compared: tuple[Compared, ...]
    rows: int
    steps: int

    @property
    def short(self) -> bool:
        """Whether the training was too short to learn from."""
        return self.steps < FEWEST_STEPS


def validate(rows: Sequence[Row], policy: Policy, seeds: Sequence[int], ports: Ports) -> Validation:
    """Predict what the rows do to the untouched model, then train on them once per seed and read the same probes.

    Raises:
        EvaluationError: no row trains a token, the training diverged, or the backend cannot train by the regime.
    """
    trained = [row for row in rows if row.trains]
    if not trained:
        raise EvaluationError("no row of the data trains a single token", remedy="give rows with answers to train on")
    regime = policy.method.regime
    plans = [finetune_plan(trained, regime, seed) for seed in seeds]
    questions = questions_of(policy, ports)
    ports.progress.stage("predicting", 0)
    predicted = foretell(trained, questions, policy.method, ports)
    shifts: list[tuple[float, ...]] = []
    for index, plan in enumerate(plans):
        ports.progress.stage(f"fine-tuning, {index + 1} of {len(plans)}", len(plan.steps))
        adapter = ports.backend.finetune(plan)
        replies = read_injected(questions, adapter, policy.method, ports.backend)
        shifts.append(tuple(one.level - was.before for one, was in zip(replies, predicted, strict=True)))
    compared = tuple(
        Compared(question, predicted[i], _line(question, policy, ports), tuple(one[i] for one in shifts))
        for i, question in enumerate(questions)
    )
    return Validation(compared, len(trained), len(plans[0].steps))


def entries(validation: Validation, source: str, policy: Policy, ports: Ports) -> tuple[Entry, ...]:
    """What a ledger keeps of a validation; nothing of one that was too short."""
    if validation.short:
        return ()
    key = calibration_key(ports.backend.card, policy.method)
    return tuple(
        Entry(
            key=key,
            source=source,
            probe=one.question.probe.id,
            probe_digest=one.question.probe.digest,
            target=one.question.target,
            unit=one.question.probe.unit,
            before=one.predicted.before,
            predicted=one.predicted.shift,
            true=one.mean,
            reach=one.predicted.extent.reach,
            trainings=len(one.true),
            rows=validation.rows,
        )
        for one in validation.compared
    )


def _line(question: Question, policy: Policy, ports: Ports) -> Line | None:
    found = fitted_line(matching(ports.calibrations, ports.backend.card, policy.method), question)
    return found[0] if found is not None else None
