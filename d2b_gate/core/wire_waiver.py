"""The saved form of a waiver that covers a finding, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.waivers import Waiver
from d2b_gate.core.wire_values import optional, plain, present

if TYPE_CHECKING:
    from d2b_gate.core.untrusted import Untrusted


def waiver_to_mapping(waiver: Waiver) -> dict[str, object]:
    """The JSON-ready form; its keys are those of the waivers' file."""
    return {
        "rule": waiver.rule,
        **({"paths": list(waiver.paths)} if waiver.paths else {}),
        **present(data=waiver.rows_hash),
        "max_delta": plain(waiver.max_delta),
        "owner": waiver.owner,
        "approver": waiver.approver,
        "reason": waiver.reason,
        "expires": waiver.expires,
        **present(origin=waiver.origin),
    }


def waiver_from(node: Untrusted) -> Waiver:
    """Read a waiver back, as untrusted. Raises EvaluationError where a key, type or size is wrong."""
    table = node.fields("rule max_delta owner approver reason expires", "paths data origin")
    return Waiver(
        rule=table["rule"].text(),
        max_delta=table["max_delta"].number(),
        owner=table["owner"].text(),
        approver=table["approver"].text(),
        reason=table["reason"].text(),
        expires=table["expires"].text(),
        paths=table["paths"].texts() if "paths" in table else (),
        rows_hash=optional(table, "data"),
        origin=optional(table, "origin"),
    )
