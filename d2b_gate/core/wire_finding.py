"""The saved form of one finding, both ways; `wire` holds the verdict around it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from d2b_gate.core.reading import Answer, Measured, Unmeasured
from d2b_gate.core.rules import Rule
from d2b_gate.core.verdict import Example, Finding, Status
from d2b_gate.core.wire_explained import (
    EXPLAINED,
    doses_from,
    explained_to_mapping,
    sayings_from,
    tokens_from,
    views_from,
)
from d2b_gate.core.wire_shift import blame_from, blame_to_mapping, shift_from, shift_to_mapping
from d2b_gate.core.wire_values import optional, plain, present
from d2b_gate.core.wire_waiver import waiver_from, waiver_to_mapping

if TYPE_CHECKING:
    from collections.abc import Mapping

    from d2b_gate.core.reading import Reading
    from d2b_gate.core.rules import Direction
    from d2b_gate.core.untrusted import Untrusted

STATUSES = {status.value: status for status in Status}
_DIRECTIONS: Mapping[str, Direction] = {"increase": "increase", "decrease": "decrease", "either": "either"}
_UNITS = {"share": "share", "nats": "nats"}


def finding_to_mapping(finding: Finding) -> dict[str, object]:
    """The JSON-ready form of a finding; everything foretold stands under ``predicted``."""
    return {
        "rule": _rule_to_mapping(finding.rule),
        "status": finding.status.value,
        "blocks": finding.blocks,
        "title": finding.title,
        "unit": finding.unit,
        "predicted": {
            "before": _reading_to_mapping(finding.before),
            "after": _reading_to_mapping(finding.after),
            "shift": shift_to_mapping(finding.shift),
        },
        "reason": finding.reason,
        "examples": [_example_to_mapping(example) for example in finding.examples],
        "blame": [blame_to_mapping(blame) for blame in finding.blame],
        **present(rows_hash=finding.rows_hash),
        **({"waived_by": [waiver_to_mapping(waiver) for waiver in finding.waived_by]} if finding.waived_by else {}),
        **explained_to_mapping(finding),
    }


def _rule_to_mapping(rule: Rule) -> dict[str, object]:
    ceiling: dict[str, object] = {} if rule.max_level == math.inf else {"max_level": plain(rule.max_level)}
    return {
        "id": rule.id,
        "probe": rule.probe,
        **present(target=rule.target),
        "direction": rule.direction,
        "warn_delta": plain(rule.warn_delta),
        "fail_delta": plain(rule.fail_delta),
        **ceiling,
        **({} if rule.budget_delta == math.inf else {"budget_delta": plain(rule.budget_delta)}),
        "datasets": list(rule.datasets),
        "locked": rule.locked,
        **present(owner=rule.owner, why=rule.why, origin=rule.origin),
    }


def _reading_to_mapping(reading: Reading) -> dict[str, object]:
    if isinstance(reading, Unmeasured):
        return {"unmeasured": reading.reason}
    return {"level": plain(reading.level), "low": plain(reading.low), "high": plain(reading.high)}


def _example_to_mapping(example: Example) -> dict[str, object]:
    return {
        "prompt": example.prompt,
        "before": [{"text": answer.text, "share": plain(answer.share)} for answer in example.before],
        "after": [{"text": answer.text, "share": plain(answer.share)} for answer in example.after],
    }


def finding_from(node: Untrusted) -> Finding:
    """Read a finding back, as untrusted. Raises EvaluationError where a key, type or size is wrong."""
    table = node.fields(
        "rule status blocks title unit predicted reason examples blame", f"rows_hash waived_by {EXPLAINED}"
    )
    predicted = table["predicted"].fields("before after shift")
    return Finding(
        rule=_rule_from(table["rule"]),
        status=table["status"].one_of(STATUSES),
        title=table["title"].text(),
        unit=table["unit"].one_of(_UNITS),
        before=_reading_from(predicted["before"]),
        after=_reading_from(predicted["after"]),
        shift=shift_from(predicted["shift"]),
        reason=table["reason"].text(),
        examples=tuple(_example_from(item) for item in table["examples"].items()),
        blame=tuple(blame_from(item) for item in table["blame"].items()),
        blocks=table["blocks"].truth(),
        rows_hash=optional(table, "rows_hash"),
        waived_by=tuple(waiver_from(item) for item in table["waived_by"].items()) if "waived_by" in table else (),
        sayings=sayings_from(table),
        tokens=tokens_from(table),
        doses=doses_from(table),
        views=views_from(table),
        raw_delta=table["raw_delta"].number() if "raw_delta" in table else 0.0,
    )


def _rule_from(node: Untrusted) -> Rule:
    known = "target max_level budget_delta owner why origin"
    table = node.fields("id probe direction warn_delta fail_delta datasets locked", known)
    return Rule(
        id=table["id"].text(),
        probe=table["probe"].text(),
        target=optional(table, "target"),
        direction=table["direction"].one_of(_DIRECTIONS),
        warn_delta=table["warn_delta"].number(),
        fail_delta=table["fail_delta"].number(),
        max_level=table["max_level"].number() if "max_level" in table else math.inf,
        datasets=table["datasets"].texts(),
        locked=table["locked"].truth(),
        owner=optional(table, "owner"),
        why=optional(table, "why"),
        origin=optional(table, "origin"),
        budget_delta=table["budget_delta"].number() if "budget_delta" in table else math.inf,
    )


def _reading_from(node: Untrusted) -> Reading:
    if "unmeasured" in node.members():
        return Unmeasured(node.fields("unmeasured")["unmeasured"].text())
    table = node.fields("level low high")
    return Measured(table["level"].number(), low=table["low"].number(), high=table["high"].number())


def _example_from(node: Untrusted) -> Example:
    table = node.fields("prompt before after")
    return Example(table["prompt"].text(), before=_answers_from(table["before"]), after=_answers_from(table["after"]))


def _answers_from(node: Untrusted) -> tuple[Answer, ...]:
    rows = [item.fields("text share") for item in node.items()]
    return tuple(Answer(row["text"].text(), row["share"].number()) for row in rows)
