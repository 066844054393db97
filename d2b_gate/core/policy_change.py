"""What one policy says otherwise than another, value by value, and what that means for changes that it judges."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.policy_effect import Effect, effect_of
from d2b_gate.core.rules import BackendSpec, MethodSpec, ModelSpec, Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from d2b_gate.core.reading import Probe
    from d2b_gate.core.rules import DatasetSpec, Rule

    KeyPath = tuple[str | int, ...]
    Leaves = Mapping[tuple[str, ...], object]

NAMED = {"datasets": ("dataset", "name"), "rules": ("rule", "id")}
"""Fields of a policy that hold named tables: what the table is called in TOML, and the key of its name."""
_UNJUDGED = frozenset({"path", "digest", "origin"})
_SHORT = 12  # characters shown of a digest


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """One difference between two policies: ``before`` and ``after`` are values as TOML, empty where absent."""

    kind: str  # "rule", "dataset", "model", "method", "probe", "waiver", ...
    subject: str  # "animal-preference.fail_delta", "revision"
    before: str
    after: str
    effect: Effect
    where: str = ""  # file:line of the newer policy, or of the older one for what it alone has


@dataclass(frozen=True, slots=True)
class Stated:
    """A policy with what it draws on: its probes, and where each key of its table was set."""

    policy: Policy
    probes: Callable[[str], Probe]
    where: Callable[[KeyPath], str]


def policy_changes(before: Stated, after: Stated) -> tuple[PolicyChange, ...]:
    """Compare two policies value by value, and the probes that both ask; what loosens comes first."""
    return worst_first([*_settings(before, after), *_entries(before, after), *_probes(before, after)])


def worst_first(changes: Iterable[PolicyChange]) -> tuple[PolicyChange, ...]:
    """Order by effect; within an effect as given."""
    order = list(Effect)
    return tuple(sorted(changes, key=lambda change: order.index(change.effect)))


def settings(policy: Policy) -> Leaves:
    """Every value outside rules and datasets by its path in TOML: ``("method", "regime", "rank")``."""
    named = {field.name for field in fields(policy)} & set(NAMED)
    return dict(_leaves(policy, (), named | _UNJUDGED))


def defaults() -> Leaves:
    """The settings of a policy that sets none."""
    return settings(Policy("", "", ModelSpec(), MethodSpec(), BackendSpec(), (), ()))


def entry_values(entry: Rule | DatasetSpec, name: str) -> Mapping[str, object]:
    """The values of one rule or dataset by key, without its name and place."""
    return {path[-1]: value for path, value in _leaves(entry, (), _UNJUDGED | {name})}


def entries_of(policy: Policy) -> Iterator[tuple[str, int, str, Rule | DatasetSpec]]:
    """Each dataset and rule: what it is called in TOML, its index, its name, and itself."""
    for index, dataset in enumerate(policy.datasets):
        yield "dataset", index, dataset.name, dataset
    for index, rule in enumerate(policy.rules):
        yield "rule", index, rule.id, rule


def name_key(kind: str) -> str:
    """The key that names a rule or a dataset."""
    return next(key for table, key in NAMED.values() if table == kind)


def shown(value: object) -> str:
    """A value as TOML has it; what is unlimited is ``none``."""
    if isinstance(value, float):
        return "none" if math.isinf(value) else f"{value:g}"
    if isinstance(value, tuple):
        if value and all(isinstance(pair, tuple) for pair in value):
            return "{ " + ", ".join(f"{key} = {shown(inner)}" for key, inner in value) + " }"
        return f"[{', '.join(shown(inner) for inner in value)}]"
    return json.dumps(value, ensure_ascii=False)


def _leaves(
    table: object, path: tuple[str, ...], without: set[str] | frozenset[str]
) -> Iterator[tuple[tuple[str, ...], object]]:
    if not is_dataclass(table):
        return
    for field in fields(table):
        value = getattr(table, field.name)
        if field.name in without:
            continue
        if is_dataclass(value):
            yield from _leaves(value, (*path, field.name), without)
        else:
            yield (*path, field.name), value


def _settings(before: Stated, after: Stated) -> Iterator[PolicyChange]:
    old, new = settings(before.policy), settings(after.policy)
    for path, value in new.items():
        if old[path] != value:
            kind, subject = (path[0], ".".join(path[1:])) if len(path) > 1 else ("policy", path[0])
            effect = effect_of(path, old[path], value)
            yield PolicyChange(kind, subject, shown(old[path]), shown(value), effect, after.where(path))


def _entries(before: Stated, after: Stated) -> Iterator[PolicyChange]:
    old = {(kind, name): (index, entry) for kind, index, name, entry in entries_of(before.policy)}
    new = {(kind, name): (index, entry) for kind, index, name, entry in entries_of(after.policy)}
    for (kind, name), (index, entry) in old.items():
        if (kind, name) not in new:
            yield PolicyChange(kind, name, in_brief(entry), "", Effect.LOOSENS, before.where((kind, index)))
    for (kind, name), (index, entry) in new.items():
        if (kind, name) not in old:
            yield PolicyChange(kind, name, "", in_brief(entry), Effect.TIGHTENS, after.where((kind, index)))
            continue
        then, now = entry_values(old[kind, name][1], name_key(kind)), entry_values(entry, name_key(kind))
        for key, value in now.items():
            if then[key] != value:
                effect = effect_of((kind, key), then[key], value)
                where = after.where((kind, index, key))
                yield PolicyChange(kind, f"{name}.{key}", shown(then[key]), shown(value), effect, where)


def in_brief(entry: Rule | DatasetSpec) -> str:
    """A whole rule or dataset in a few words."""
    if hasattr(entry, "include"):
        return f"include {shown(entry.include)}"
    asked = f"{entry.probe} {entry.target}".rstrip()
    return f"{asked}, {entry.direction}, warn {entry.warn_delta:g}, fail {entry.fail_delta:g}"


def _probes(before: Stated, after: Stated) -> Iterator[PolicyChange]:
    """Probes of the same name whose files differ: the question changed, and no limit tells it."""
    common = {rule.probe for rule in before.policy.rules} & {rule.probe for rule in after.policy.rules}
    for reference in sorted(common):
        old, new = before.probes(reference), after.probes(reference)
        if old.digest != new.digest:
            where = reference if reference.endswith(".toml") else ""
            yield PolicyChange("probe", reference, _probe(old), _probe(new), Effect.UNCLEAR, where)


def _probe(probe: Probe) -> str:
    return f"{len(probe.prompts)} prompts, sha256 {probe.digest[:_SHORT]}"
