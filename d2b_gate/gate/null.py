"""How far predictions may be off: a calibration that matches, or a placebo null measured on the spot."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.calibration import FURTHEST, LONGEST
from d2b_gate.core.calibration_file import fitted_line, matching
from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.fingerprint import fingerprint
from d2b_gate.core.mixture import Mixture, visits_of
from d2b_gate.core.noise import Calibrated, Null
from d2b_gate.gate.measure import Replicate, ask_both, extent_of, question_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.calibration import Line
    from d2b_gate.core.noise import Noise
    from d2b_gate.core.ports import Question
    from d2b_gate.core.rules import MethodSpec, Policy, Rule
    from d2b_gate.gate.ports import Ports

DOSES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 1.0, 2.0, 3.0)
"""Visits of changed rows, in units of the kept rows' full visits, that a null is measured at; a change is held against
the next higher dose, whose null is wider."""
SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 0.9, 0.97, 1.0)
"""True shares of changed rows that a null is measured at, rounded up likewise."""
LIKENESS = 0.5
"""A stored null still counts while its base rows and today's have this Jaccard index: the noise of a data set does not
change with a few rows, and measuring it anew at every commit would cost more than the commit."""


@dataclass(frozen=True, slots=True)
class Placebo:
    """What is known of the noise, per question, and a clause on where that comes from."""

    noises: tuple[Noise, ...]
    source: str

    @property
    def measured_anew(self) -> bool:
        """Whether further replicates can narrow the intervals; a line's error is that of a whole prediction."""
        return any(isinstance(noise, Null) for noise in self.noises)


def refuse_uncalibrated(rules: Sequence[Rule], policy: Policy, ports: Ports) -> None:
    """Refuse before anything is measured, where the policy requires a calibration.

    Raises:
        EvaluationError: no line holds for one of the rules.
    """
    if not policy.require_calibration:
        return
    holding = matching(ports.calibrations, ports.backend.card, policy.method)
    for rule in rules:
        if fitted_line(holding, question_of(rule, ports)) is None:
            raise EvaluationError(
                f"no line of a calibration holds for the probe {rule.probe!r} under this model, method and regime",
                where=policy.path,
                remedy="write one with d2b-gate validate and d2b-gate calibrate and commit it, "
                "or set require_calibration = false",
            )


def calibrated(questions: Sequence[Question], method: MethodSpec, ports: Ports) -> bool:
    """Whether a line holds for every question: one replicate then is what the line's errors were measured with."""
    holding = matching(ports.calibrations, ports.backend.card, method)
    return all(fitted_line(holding, question) is not None for question in questions)


def noise_of(drawn: Sequence[Replicate], questions: Sequence[Question], method: MethodSpec, ports: Ports) -> Placebo:
    """The noise of every question: from a calibration of this model and method where there is one, else measured."""
    holding = matching(ports.calibrations, ports.backend.card, method)
    known = [fitted_line(holding, question) for question in questions]
    asked = [question for question, one in zip(questions, known, strict=True) if one is None]
    placebo = placebo_null(drawn, asked, method, ports) if asked else Placebo((), "")
    measured = iter(placebo.noises)
    noises = tuple(next(measured) if one is None else Calibrated(one[0]) for one in known)
    extents = [extent_of(one, method, ports) for one in drawn]
    length, reach = max(one.length for one in extents), max(one.reach for one in extents)
    sources = dict.fromkeys(f"calibration ({one[1]}{_longer(one[0], length)})" for one in known if one is not None)
    return Placebo(noises, "; ".join(source for source in (*sources, placebo.source, _further(reach)) if source))


def _further(reach: float) -> str:
    """Says where a row is visited more often than in any training that shifts were seen to grow in."""
    if reach <= FURTHEST:
        return ""
    return f"growth known up to {FURTHEST:g} visits for one of the tuning, this training has {reach:.0f}"


def _longer(line: Line, length: float) -> str:
    """Says where the declared training is longer than any that errors were measured for."""
    if length <= LONGEST * line.length:
        return ""
    return f"; errors known up to {LONGEST * line.length:.0f} row visits, this training has {length:.0f}"


def dose_of(drawn: Replicate, method: MethodSpec) -> float:
    """The dose of a change, rounded up to a measured one."""
    full = method.steps * method.batch
    sides = [visits_of(side, method).changed / full for side in (drawn.before, drawn.after) if side.changed]
    dose = max(sides, default=DOSES[0])
    return next(step for step in DOSES if dose <= step)


def share_of(drawn: Replicate) -> float:
    """The true share of the changed rows, rounded up to a measured one."""
    share = max(side.share for side in (drawn.before, drawn.after))
    return next(step for step in SHARES if share <= step)


def _reach(drawn: Replicate, method: MethodSpec, ports: Ports) -> float:
    """The reach of a change, rounded up: its shift is stretched by it, and so are those that it is held against."""
    return float(math.ceil(min(extent_of(drawn, method, ports).reach, FURTHEST)))


def placebo_null(
    drawn: Sequence[Replicate], questions: Sequence[Question], method: MethodSpec, ports: Ports
) -> Placebo:
    """Measure, or recall, the shifts of clean placebo changes at this change's dose on this base state.

    Every placebo replaces the change by clean rows of one kind, on the kept rows and the order of a replicate, so
    that it meets the same noise of subsampling, order and tuning as the change itself.
    """
    dose = max(dose_of(one, method) for one in drawn)
    share = max(share_of(one) for one in drawn)
    reach = max(_reach(one, method, ports) for one in drawn)
    names = sorted(ports.controls.placebos)[: method.placebos]
    key = _key(questions, method, (dose, share, reach), names, ports)
    base = {row.key for row in drawn[0].before.kept}
    known = _recall(key, base, ports)
    if known is not None:
        ports.progress.advance(len(names) * method.steps)
        return _placebo(known, f"placebo ({len(names)} clean changes at dose {dose:g}, remembered)")
    shifts: list[list[float]] = [[] for _ in questions]
    for index, name in enumerate(names):
        count = reach * dose * method.steps * method.batch / method.regime.epochs
        kept = drawn[index % len(drawn)].before.kept
        placebo = Mixture(kept, ports.controls.placebos[name], share if kept else 1.0, count)
        shifted = _shift(drawn[index % len(drawn)].seed, placebo, questions, method, ports)
        for collected, value in zip(shifts, shifted, strict=True):
            collected.append(value)
    ports.store.put_json("null", key, {"base": sorted(base), "shifts": shifts})
    return _placebo(shifts, f"placebo ({len(names)} clean changes at dose {dose:g}, measured now)")


def _shift(seed: int, placebo: Mixture, questions: Sequence[Question], method: MethodSpec, ports: Ports) -> list[float]:
    """Mean shift per question when placebo rows take the change's place."""
    pair = Replicate(seed, Mixture(placebo.kept, (), 0.0, 0.0), placebo)
    asking = ask_both(pair, questions, method, ports)
    return [after.level - before.level for before, after in zip(asking.before, asking.after, strict=True)]


def _key(
    questions: Sequence[Question], method: MethodSpec, dose: tuple[float, ...], names: Sequence[str], ports: Ports
) -> str:
    asked = [(question.probe.digest, question.target, list(question.prompts)) for question in questions]
    rows = [[row.key for row in ports.controls.placebos[name]] for name in names]
    return fingerprint("null", (ports.backend.card, method, dose, asked, rows))


def _recall(key: str, base: set[str], ports: Ports) -> list[list[float]] | None:
    known = ports.store.get_json("null", key)
    if not isinstance(known, dict):
        return None
    then = set(known["base"])
    union = len(base | then)
    if union and len(base & then) / union < LIKENESS:
        return None
    return [[float(value) for value in shifts] for shifts in known["shifts"]]


def _placebo(shifts: Sequence[Sequence[float]], source: str) -> Placebo:
    return Placebo(tuple(Null(tuple(values)) for values in shifts), source)
