"""The result as JSON, for programs: the saved form of `core.wire`, described by ``result.schema.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.wire import verdict_to_mapping
from d2b_gate.reports.escape_json import dumped

if TYPE_CHECKING:
    from d2b_gate.core.verdict import Verdict
    from d2b_gate.reports.interface import RenderOptions


def render(verdict: Verdict, options: RenderOptions) -> str:
    """The result in a fixed order of keys, in ASCII whatever the options say: it may be printed into a log."""
    return dumped(verdict_to_mapping(verdict))
