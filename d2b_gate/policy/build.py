"""Checked tables to the core types that the rest of the gate knows."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from d2b_gate.core import rules as core
from d2b_gate.policy.digest import policy_digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from d2b_gate.policy.locate import KeyPath
    from d2b_gate.policy.models import DatasetTable, MethodTable, PolicyTable, RuleTable


def build(table: PolicyTable, path: str, where: Callable[[KeyPath], str]) -> core.Policy:
    """Build the policy and its digest; ``where`` gives the ``file:line`` of a key path."""
    policy = core.Policy(
        path=path,
        digest="",
        model=core.ModelSpec(**table.model.model_dump()),
        method=_method(table.method),
        backend=core.BackendSpec(**table.backend.model_dump()),
        datasets=tuple(_dataset(entry, where(("dataset", index))) for index, entry in enumerate(table.dataset)),
        rules=tuple(_rule(entry, where(("rule", index))) for index, entry in enumerate(table.rule)),
        budget=core.Budget(**table.budget.model_dump()),
        on_inconclusive=core.Inconclusive(**table.on_inconclusive.model_dump()),
        on_unavailable=core.Unavailable(**table.on_unavailable.model_dump()),
        dilution_guard=table.dilution_guard,
        show_samples=table.show_samples,
        require_calibration=table.require_calibration,
    )
    return replace(policy, digest=policy_digest(policy))


def _method(table: MethodTable) -> core.MethodSpec:
    return core.MethodSpec(
        **{**table.model_dump(exclude={"regime"}), "regime": core.Regime(**table.regime.model_dump())}
    )


def _dataset(table: DatasetTable, origin: str) -> core.DatasetSpec:
    return core.DatasetSpec(
        name=table.name,
        include=tuple(table.include),
        exclude=tuple(table.exclude),
        format=table.format,
        columns=tuple(sorted(table.columns.items())),
        row_schema=table.row_schema,
        weight=table.weight,
        origin=origin,
    )


def _rule(table: RuleTable, origin: str) -> core.Rule:
    return core.Rule(
        id=table.id,
        probe=table.probe,
        fail_delta=table.fail_delta,
        warn_delta=table.fail_delta if table.warn_delta is None else table.warn_delta,
        target=table.target,
        direction=table.direction,
        max_level=math.inf if table.max_level is None else table.max_level,
        datasets=tuple(table.datasets),
        owner=table.owner,
        why=table.why,
        locked=table.locked,
        origin=origin,
        budget_delta=math.inf if table.budget_delta is None else table.budget_delta,
    )
