"""Whether memory is constant in the number of rows: read from what `python -m benchmarks.rows` wrote."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = "python -m benchmarks.rows"
MOST = 1_000_000
"""Rows of the file that the goal is about."""


def memory(result: Path) -> dict[str, Any]:
    """By how many MB the peak grows from the fewest rows to a million; without such a run, why there is no figure."""
    if not result.is_file():
        return {"why": f"run: {COMMAND}"}
    record = json.loads(result.read_text(encoding="utf-8"))
    rows = sorted({run["rows"] for run in record["runs"]})
    if not rows or rows[-1] < MOST:
        return {"why": f"no file of {MOST} rows was judged; run: {COMMAND}"}
    return {"rows": rows, "growth_mb": record["growth_mb"]}
