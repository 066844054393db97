"""What a policy may say and probably should not: warnings, each with the line that made it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.calibration import Line
from d2b_gate.core.errors import UsageError
from d2b_gate.core.scale import SHARE, shift_by
from d2b_gate.core.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from d2b_gate.core.audit import Precision
    from d2b_gate.core.calibration_file import Calibration
    from d2b_gate.core.errors import GateError
    from d2b_gate.core.reading import Probe
    from d2b_gate.core.rules import DatasetSpec, Policy, Rule
    from d2b_gate.policy.locate import KeyPath
    from d2b_gate.policy.read import Effective

MISTAKEN = 0.5
"""A rule is warned of when its precision, by its 95 % interval, lies under this."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a policy is held against: probes, calibrations (the first that knows wins), and its datasets' files."""

    probes: Callable[[str], Probe]
    calibrations: Sequence[Calibration]
    files_of: Callable[[DatasetSpec], bool]  # whether any file of the state belongs to a dataset
    precisions: Sequence[Precision] = ()  # how often rules were right, as people found out


def warnings(effective: Effective, around: Surroundings) -> list[GateError]:
    """Collect all warnings, those of datasets first, then rule by rule."""
    policy, where = effective.policy, effective.merged.where
    empty = {dataset.name for dataset in policy.datasets if not around.files_of(dataset)}
    found = list(_dataset_warnings(policy, empty, where))
    for index, rule in enumerate(policy.rules):
        probe = around.probes(rule.probe)
        told = [
            *_unowned(rule),
            *_unreachable(rule, probe),
            *_unjudging(rule, empty),
            *_drowned(rule, probe, policy, around),
            *_mistaken(rule, around.precisions),
        ]
        found += [UsageError(what, where=where(("rule", index, *key)), remedy=remedy) for key, what, remedy in told]
    return found


def _dataset_warnings(policy: Policy, empty: set[str], where: Callable[[KeyPath], str]) -> Iterator[GateError]:
    judged = {name for rule in policy.rules for name in rule.datasets}
    everything = any(not rule.datasets for rule in policy.rules)
    for index, dataset in enumerate(policy.datasets):
        if dataset.name in empty:
            what = f"no file belongs to the dataset {dataset.name!r}"
            yield UsageError(what, where=where(("dataset", index, "include")), remedy="correct its globs")
        if not everything and dataset.name not in judged:
            what = f"no rule judges the dataset {dataset.name!r}, so a change of its rows is refused"
            yield UsageError(what, where=where(("dataset", index)), remedy="name it in a rule's 'datasets'")


def _unowned(rule: Rule) -> Iterator[tuple[KeyPath, str, str]]:
    absent = [key for key in ("owner", "why") if not getattr(rule, key)]
    if absent:
        yield (), f"rule {rule.id!r} has no {' and no '.join(absent)}", "say who answers for it and why it exists"


def _unreachable(rule: Rule, probe: Probe) -> Iterator[tuple[KeyPath, str, str]]:
    """Limits that no reading can pass, and those that the ceiling always comes before."""
    if rule.fail_delta >= probe.high - probe.low:
        yield ("fail_delta",), f"fail_delta {rule.fail_delta:g} can never be passed by {rule.probe}", "lower it"
    if rule.max_level == probe.high:
        yield ("max_level",), f"max_level {rule.max_level:g} can never be passed by {rule.probe}", "lower it"
    elif _is_past_the_ceiling(rule, probe):
        what = f"fail_delta {rule.fail_delta:g} never decides: every such shift ends above max_level {rule.max_level:g}"
        yield ("fail_delta",), what, "lower it, or raise max_level"


def _is_past_the_ceiling(rule: Rule, probe: Probe) -> bool:
    """Whether even from the lowest level a shift as large as the limit ends above the ceiling."""
    finite = math.isfinite(rule.max_level)
    return finite and rule.direction == "increase" and rule.fail_delta >= rule.max_level - probe.low


def _unjudging(rule: Rule, empty: set[str]) -> Iterator[tuple[KeyPath, str, str]]:
    if rule.datasets and empty.issuperset(rule.datasets):
        yield ("datasets",), f"rule {rule.id!r} judges no row: no file belongs to its datasets", "correct their globs"


def _drowned(rule: Rule, probe: Probe, policy: Policy, around: Surroundings) -> Iterator[tuple[KeyPath, str, str]]:
    """A limit that lies under what clean changes are predicted to do: nothing below the floor ever fails."""
    known = next(
        (
            (line.line, calibration.basis)
            for calibration in around.calibrations
            if calibration.model == policy.model.id
            for line in calibration.lines
            if (line.probe_digest, line.target) == (probe.digest, rule.target) and isinstance(line.line, Line)
        ),
        None,
    )
    if known is None:
        return
    floor = noise_floor(known[0], probe, policy.method.confidence)
    if rule.fail_delta < floor:
        what = f"fail_delta {rule.fail_delta:g} is below the noise floor {floor:.2g} ({known[1]})"
        yield ("fail_delta",), what, "no shift under the floor ever fails: raise the limit, or add prompts to the probe"


def _mistaken(rule: Rule, precisions: Sequence[Precision]) -> Iterator[tuple[KeyPath, str, str]]:
    """A rule whose failures were false alarms, surely more often than not."""
    for one in precisions:
        if (one.rule, one.status) == (rule.id, Status.FAIL.value) and one.interval[1] < MISTAKEN:
            wrong = one.labelled - one.true
            what = f"{wrong} of {one.labelled} labelled failures of rule {rule.id!r} were false alarms"
            yield ("fail_delta",), what, "look at them (d2b-gate audit list); raise the limit, or mend the probe"


def noise_floor(line: Line, probe: Probe, confidence: float) -> float:
    """The floor in the probe's unit; of a share, at the level where all alternatives are as likely."""
    before = 1 / len(probe.alternatives) if probe.unit == SHARE else 0.0
    return shift_by(before, line.floor(confidence), probe.unit)
