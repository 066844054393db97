"""What a rule must satisfy beyond its shape: its probe, its target, and limits that the probe can reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.errors import GateError, PolicyError, UsageError
from d2b_gate.core.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from d2b_gate.core.ports import ProbeKind
    from d2b_gate.core.reading import Probe
    from d2b_gate.policy.checks import Faults
    from d2b_gate.policy.models import RuleTable


class ProbeShelf:
    """Probes by reference, each looked up once; what was wrong with one is told by its first rule."""

    def __init__(self, probes: Callable[[str], Probe], kinds: Mapping[str, ProbeKind]) -> None:
        self._probes = probes
        self._kinds = kinds
        self._known: dict[str, Probe | None] = {}
        self.problems: list[GateError] = []

    def get(self, reference: str, where: str) -> Probe | None:
        """Return the probe, or None and a problem at ``where`` (in the probe's own file if that is at fault)."""
        if self._known.get(reference) is None:
            self._known[reference] = self._read(reference, where)
        return self._known[reference]

    def targets(self, probe: Probe) -> tuple[str, ...]:
        """Return the targets that a rule may name."""
        return self._kinds[probe.kind].targets(probe)

    def _read(self, reference: str, where: str) -> Probe | None:
        try:
            return self._probes(reference)
        except PolicyError as error:
            if reference not in self._known:
                self.problems += error.problems
        except UsageError as error:
            self.problems.append(UsageError(error.what, where=where, remedy=error.remedy))
        return None


def limit_faults(rule: RuleTable, latest: str) -> Faults:
    """Check the limits against each other; ``latest`` is the one that was set last, and so made the trouble."""
    if rule.warn_delta is not None and rule.warn_delta > rule.fail_delta:
        what = f"warn_delta {rule.warn_delta:g} is larger than fail_delta {rule.fail_delta:g}"
        yield (latest,), what, "a warning comes before a failure"
    if rule.budget_delta is not None and rule.budget_delta < rule.fail_delta:
        what = f"budget_delta {rule.budget_delta:g} is smaller than fail_delta {rule.fail_delta:g}"
        yield ("budget_delta",), what, "it limits the sum of changes, each of which fail_delta limits"


def dataset_name_faults(rule: RuleTable, datasets: Collection[str]) -> Faults:
    """Check that the rule's datasets exist."""
    for index, name in enumerate(rule.datasets):
        if name not in datasets:
            yield ("datasets", index), f"unknown dataset {name!r}", did_you_mean(name, datasets)


def probe_faults(rule: RuleTable, probe: Probe, targets: tuple[str, ...]) -> Faults:
    """Check the target and the limits against the probe."""
    yield from _target_faults(rule, targets)
    noun = "shares" if probe.unit == "share" else probe.unit
    span, reads = probe.high - probe.low, f"{rule.probe} reads {noun} from {probe.low:g} to {probe.high:g}"
    for key in ("warn_delta", "fail_delta", "budget_delta"):
        delta = getattr(rule, key)
        if delta is not None and delta > span:
            what = f"{key} {delta:g} can never be reached: {reads}"
            yield (key,), what, "a share of 5 points is 0.05" if probe.unit == "share" else "lower the limit"
    if rule.max_level is not None and not probe.low <= rule.max_level <= probe.high:
        yield ("max_level",), f"max_level {rule.max_level:g} is out of range: {reads}", ""


def _target_faults(rule: RuleTable, targets: tuple[str, ...]) -> Faults:
    if not targets and rule.target:
        yield ("target",), f"{rule.probe} takes no target", "remove the key"
    elif targets and not rule.target:
        yield ("probe",), f"{rule.probe} needs a target", f"one of: {', '.join(targets)}"
    elif targets and rule.target not in targets:
        yield ("target",), f"{rule.probe} has no alternative {rule.target!r}", did_you_mean(rule.target, targets)
