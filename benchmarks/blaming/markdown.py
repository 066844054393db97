"""The table that docs/explain.md shows, written from the results so that the two cannot differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

RESULT = "attribution.json"
BASELINES = ("keyword", "random")
SHOWN = (("5pct", "tuned"), ("5pct", "held_out"), ("10pct", "held_out"), ("25pct", "held_out"), ("1pct", "held_out"))
FAMILIES = {"tuned": "chosen on", "held_out": "held out"}


def block(record: Mapping[str, Any]) -> str:
    """A Markdown table: the method that the gate uses beside the baselines, per share of planted rows."""
    lines = ["| planted | families | sets, rows | gate | keyword search | random |", "|---|---|---:|---:|---:|---:|"]
    for dose, split in SHOWN:
        found = {one["method"]: one for one in record["methods"] if (one["dose"], one["split"]) == (dose, split)}
        gate = found[record["choice"]["method"]]
        cells = [_cell(one) for one in (gate, *(found[name] for name in BASELINES))]
        counts = f"{gate['n']}, {gate['planted']}"
        lines.append(f"| {dose.removesuffix('pct')} % | {FAMILIES[split]} | {counts} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(one: Mapping[str, Any]) -> str:
    spread = f" [{one['low']:.2f}, {one['high']:.2f}]" if one["high"] - one["low"] >= 0.01 else ""
    return f"{one['value']:.2f}{spread}"
