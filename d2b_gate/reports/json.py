"""The result as JSON, for programs: the saved form of `core.wire`, described by ``result.schema.json``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from d2b_gate.core.wire import verdict_to_mapping

if TYPE_CHECKING:
    from d2b_gate.core.verdict import Verdict
    from d2b_gate.reports.interface import RenderOptions


def render(verdict: Verdict, options: RenderOptions) -> str:
    """The result in a fixed order of keys, in ASCII whatever the options say: it may be printed into a log."""
    text = json.dumps(verdict_to_mapping(verdict), indent=2, ensure_ascii=True, allow_nan=False)
    return text.replace("#", r"\u0023") + "\n"  # only strings hold a '#'; a runner obeys `##[command]` in any line
