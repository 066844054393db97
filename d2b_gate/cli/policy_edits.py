"""What a change does to the policy that judges it: shown with the verdict, and of no influence on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.cli.context import text_reader
from d2b_gate.cli.policy_states import State, base_and_head

if TYPE_CHECKING:
    from d2b_gate.cli.context import Standpoint
    from d2b_gate.core.policy_change import PolicyChange
    from d2b_gate.policy.find import Found


def policy_edits(stand: Standpoint, found: Found) -> tuple[PolicyChange, ...]:
    """The head's policy against the base's; nothing where the policy is that of the judged state itself."""
    if stand.mode != "range" or stand.policy_ref != stand.from_ref:
        return ()
    return base_and_head(State(found, stand.reader()), text_reader(stand.repository, stand.to_ref))
