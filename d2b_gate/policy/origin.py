"""Every effective value of a policy, the place that set it, and what it loosens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.policy_change import defaults, entries_of, entry_values, name_key, settings, shown
from d2b_gate.core.policy_effect import Effect, effect_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from d2b_gate.policy.locate import KeyPath
    from d2b_gate.policy.merge import Merged
    from d2b_gate.policy.read import Effective

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Origin:
    """One value; ``where`` is `DEFAULT` where no file sets it, ``loosens`` says what stricter value it took over."""

    name: str
    value: str
    where: str
    loosens: str = ""


def origins(effective: Effective) -> Iterator[Origin]:
    """Yield settings, then datasets and rules key by key, in the policy's order."""
    policy, merged = effective.policy, effective.merged
    usual = defaults()
    for path, value in settings(policy).items():
        yield Origin(
            ".".join(path), shown(value), _where(path, merged), _loosened(path, path, (value, usual[path]), merged)
        )
    for kind, index, name, entry in entries_of(policy):
        for key, value in entry_values(entry, name_key(kind)).items():
            at: KeyPath = (kind, index, key)
            loosens = _loosened(at, (kind, key), (value, value), merged)
            yield Origin(f"{kind}.{name}.{key}", shown(value), _where(at, merged), loosens)


def _where(path: KeyPath, merged: Merged) -> str:
    return merged.where(path) if merged.is_set(path) else DEFAULT


def _loosened(at: KeyPath, key: tuple[str, ...], values: tuple[object, object], merged: Merged) -> str:
    """The strictest thing said before that the value loosens; the default counts where no other layer spoke."""
    value, usual = values
    for where, before in reversed(merged.overridden(at)):
        then = tuple(before) if isinstance(before, list) else before
        if then != value and effect_of(key, then, value) is Effect.LOOSENS:
            return f"{shown(then)} of {where}"
    if usual != value and effect_of(key, usual, value) is Effect.LOOSENS:
        return f"the {DEFAULT} {shown(usual)}"
    return ""
