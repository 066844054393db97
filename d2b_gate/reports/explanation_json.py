"""One finding in depth, for programs: as `json` has it, with the conditions that its numbers meet or miss."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from d2b_gate.core.judge import ways
from d2b_gate.core.reading import Measured
from d2b_gate.core.verdict import Shift
from d2b_gate.core.wire_finding import finding_to_mapping
from d2b_gate.reports.escape_json import dumped

if TYPE_CHECKING:
    from d2b_gate.core.conditions import Condition, Way
    from d2b_gate.core.verdict import Finding


def explanation_json(name: str, finding: Finding) -> str:
    """``id``, ``finding`` and ``ways``: the ways to end in the order in which they are tried; the first open one wins.

    ``ways`` is empty where nothing was measured. A condition without ``bound`` is held against no ceiling.
    """
    tried = _ways(finding)
    return dumped({"id": name, "finding": finding_to_mapping(finding), "ways": [_way_to_mapping(way) for way in tried]})


def _ways(finding: Finding) -> tuple[Way, ...]:
    if isinstance(finding.shift, Shift) and isinstance(finding.after, Measured):
        return ways(finding.rule, finding.shift, finding.after.low, finding.after.high)
    return ()


def _way_to_mapping(way: Way) -> dict[str, object]:
    return {
        "status": way.status.value,
        "reason": way.reason,
        "open": way.open,
        "conditions": [_condition_to_mapping(condition) for condition in way.conditions],
    }


def _condition_to_mapping(condition: Condition) -> dict[str, object]:
    bound = {} if condition.bound == math.inf else {"bound": condition.bound}
    return {
        "asked": condition.asked.value,
        "value": condition.value,
        "comparison": condition.comparison,
        **bound,
        "holds": condition.holds,
    }
