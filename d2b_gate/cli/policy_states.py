"""Two states of the policy, compared with everything that stands beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.cli.blessed import BASELINE
from d2b_gate.cli.calibrations import CALIBRATION
from d2b_gate.cli.policy_reading import read_stated
from d2b_gate.core.errors import GateError, PolicyError, UsageError
from d2b_gate.core.policy_change import PolicyChange, policy_changes, worst_first
from d2b_gate.core.policy_effect import Effect
from d2b_gate.policy.beside import file_change, waiver_changes
from d2b_gate.policy.find import find_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from d2b_gate.core.policy_change import Stated
    from d2b_gate.core.rules import Policy
    from d2b_gate.policy.find import Found

    Read = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class State:
    """Where a policy was found, and a reader of the files of the same state."""

    found: Found
    read: Read


def compared(before: State, after: State) -> tuple[PolicyChange, ...]:
    """Every difference, what loosens first.

    Raises:
        PolicyError: one of the policies cannot be used.
    """
    old, new = read_stated(before.found, before.read), read_stated(after.found, after.read)
    return _differences(before, after, old, new)


def base_and_head(before: State, read: Read) -> tuple[PolicyChange, ...]:
    """What a change does to the policy that judges it; a head that cannot be read is one difference, and no error."""
    old = read_stated(before.found, before.read)
    try:
        after = State(find_policy(read), read)
        new = read_stated(after.found, read)
    except GateError as error:
        return worst_first([_broken(before.found, error), *_beside(before.read, read)])
    return _differences(before, after, old, new)


def _differences(before: State, after: State, old: Stated, new: Stated) -> tuple[PolicyChange, ...]:
    schemas = [
        change
        for path in sorted(_row_schemas(old.policy) & _row_schemas(new.policy))
        for change in file_change(path, "row schema", before.read, after.read)
    ]
    return worst_first([*policy_changes(old, new), *_beside(before.read, after.read), *schemas])


def _beside(before: Read, after: Read) -> Iterator[PolicyChange]:
    """Waivers, the calibration and the baseline: what differs of them, whether or not a policy can be read."""
    yield from waiver_changes(before, after)
    yield from file_change(CALIBRATION, "calibration", before, after)
    yield from file_change(BASELINE, "baseline", before, after)


def _row_schemas(policy: Policy) -> set[str]:
    return {dataset.row_schema for dataset in policy.datasets if dataset.row_schema}


def _broken(found: Found, error: GateError) -> PolicyChange:
    problems = error.problems if isinstance(error, PolicyError) else [error]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    gone = isinstance(error, UsageError) and error.what.startswith("there is no policy")
    said = "" if gone else f"cannot be used: {problems[0].what}{more}"
    where = "" if gone else problems[0].where
    return PolicyChange("policy", found.path, "in force", said, Effect.LOOSENS if gone else Effect.UNCLEAR, where)
