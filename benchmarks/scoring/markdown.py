"""The figures that the README shows, written from the results so that the two cannot differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.scoring.predictions import PUBLISHED
from benchmarks.scoring.standing import GOALS, find

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmarks.scoring.standing import Goal

BEGIN, END = "<!-- figures of benchmarks/results/fidelity.json -->", "<!-- end of figures -->"
COLUMNS = ("mdf-tuned", PUBLISHED)
"""Shown beside the default."""
PLAIN = ("pearson", "spearman_mean", "cost_ratio")
"""Figures that are no rates."""


def block(record: Mapping[str, Any]) -> str:
    """A Markdown table: the default on held-out training sets, two others, and what was aimed at."""
    names = [record["default"], *(name for name in COLUMNS if name != record["default"])]
    scores = [find(record["contenders"], name, "held_out") for name in names]
    counts = record["datasets"]
    lines = [
        f"{counts['trainings']} real fine-tunes on {counts['datasets']} training sets of {counts['families']} sources; "
        f"{counts['held_out']} sets are held out: nothing was chosen or fitted on them.",
        "",
        f"| held out | `{'` | `'.join(names)}` | aimed at |",
        "|---|" + "---:|" * len(names) + "---:|",
        *(
            f"| {goal.about} | {' | '.join(_cell(one, goal.figure) for one in scores)} | {goal.wanted} |"
            for goal in GOALS
        ),
    ]
    return "\n".join(lines)


def _row(goal: Goal, scores: Sequence[Mapping[str, Any]]) -> str:
    cells = [_cell(one, goal.figure) for one in scores]
    return f"| {goal.about} | {' | '.join(cells)} | {goal.wanted} |"


def _cell(score: Mapping[str, Any], figure: str) -> str:
    """A figure, and of a rate its n and Wilson interval."""
    value = score.get(figure)
    if figure in PLAIN:
        return "-" if value is None else _percent(value) if figure == "cost_ratio" else f"{value:.2f}"
    count = score.get("n", {}).get(figure, 0)
    if value is None or not count:
        return "n = 0"
    low, high = score["wilson"][figure]
    return f"{_percent(value)} (n = {count}, {_percent(low)} to {_percent(high)})"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def rewrite(readme: Path, record: Mapping[str, Any]) -> bool:
    """Put the table between the marks of the README; False where it has none."""
    text = readme.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        return False
    head, rest = text.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    readme.write_text(f"{head}{BEGIN}\n{block(record)}\n{END}{tail}", encoding="utf-8")
    return True
