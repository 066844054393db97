"""The saved form of what a change does to its own policy, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.policy_change import PolicyChange
from d2b_gate.core.policy_effect import Effect
from d2b_gate.core.wire_values import optional, present

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from d2b_gate.core.untrusted import Untrusted

_EFFECTS = {effect.value: effect for effect in Effect}


def policy_changes_to_mapping(changes: Sequence[PolicyChange]) -> dict[str, object]:
    """The key and its list; nothing where the policy stayed what it was."""
    return {"policy_changes": [_to_mapping(change) for change in changes]} if changes else {}


def _to_mapping(change: PolicyChange) -> dict[str, object]:
    return {
        "kind": change.kind,
        "subject": change.subject,
        "effect": change.effect.value,
        **present(old=change.before, new=change.after, where=change.where),
    }


def policy_changes_from(table: Mapping[str, Untrusted]) -> tuple[PolicyChange, ...]:
    """Read them back, as untrusted."""
    return tuple(_from(item) for item in table["policy_changes"].items()) if "policy_changes" in table else ()


def _from(node: Untrusted) -> PolicyChange:
    found = node.fields("kind subject effect", "old new where")
    return PolicyChange(
        kind=found["kind"].text(),
        subject=found["subject"].text(),
        before=optional(found, "old"),
        after=optional(found, "new"),
        effect=found["effect"].one_of(_EFFECTS),
        where=optional(found, "where"),
    )
