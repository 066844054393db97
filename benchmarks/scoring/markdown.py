"""The figures that the README shows, written from the results so that the two cannot differ."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from benchmarks.scoring.predictions import PUBLISHED
from benchmarks.scoring.standing import GOALS, find

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


BEGIN, END = "<!-- figures of benchmarks/results/{} -->", "<!-- end of figures -->"
FIDELITY = "fidelity.json"
COLUMNS = ("mdf-tuned", PUBLISHED)
"""Shown beside the default."""
PLAIN = ("pearson", "spearman_mean", "cost_ratio", "cost_on_bench")
"""Figures that are no rates."""
COSTS = ("cost_ratio", "cost_on_bench")
BESIDES = {
    "blocked_when_over": "shifts over the limit that the gate blocks (exit 1)",
    "passed_when_over": "shifts over the limit that pass without a warning (exit 0)",
    "false_stop_rate": "clean changes blocked or inconclusive (exit 1 or 4)",
    "false_stop_rate_long": "the same, as part of a training on about 380 rows or more",
    "cost_on_bench": "cost of the verdict against the bench's own fine-tune of 64 rows",
}
"""Figures that nothing was aimed at, and that a reader should see."""


def block(record: Mapping[str, Any]) -> str:
    """A Markdown table: the default on held-out training sets, two others, and what was aimed at."""
    names = [record["default"], *(name for name in COLUMNS if name != record["default"])]
    scores = [find(record["contenders"], name, "held_out") for name in names]
    counts = record["datasets"]
    lines = [
        f"{counts['trainings']} real fine-tunes on {counts['datasets']} training sets of {counts['families']} sources; "
        f"{counts['held_out']} sets are held out: no line was fitted and no predictor chosen on them.",
        "",
        f"| held out | `{'` | `'.join(names)}` | aimed at |",
        "|---|" + "---:|" * len(names) + "---:|",
        *(
            f"| {goal.about} | {' | '.join(_cell(one, goal.figure) for one in scores)} | {goal.wanted} |"
            for goal in GOALS
        ),
        f"| sets scored, readings | {' | '.join(_counted(one) for one in scores)} | |",
        *(f"| {about} | {' | '.join(_cell(one, figure) for one in scores)} | |" for figure, about in BESIDES.items()),
        "",
        _large(scores[0]),
    ]
    return "\n".join(lines)


def _counted(score: Mapping[str, Any]) -> str:
    counts = score.get("n", {})
    return f"{counts.get('datasets', 0)}, {counts.get('readings', 0)}"


def _large(score: Mapping[str, Any]) -> str:
    """What is known where the predictor meets far fewer rows than the training does."""
    large = score.get("doses", {}).get("large")
    if not large:
        return "Sets of which the predictor sees little are not measured yet."
    return (
        f"Sets of up to 384 rows, that training visits up to {large['reach']:.1f} times as often as the predictor: "
        f"r = {large['pearson']:.2f} on {large['datasets']} held-out sets ({large['readings']} readings), "
        f"{_percent(large['interval_coverage_90'])} of them inside the 90 % interval."
    )


def _cell(score: Mapping[str, Any], figure: str) -> str:
    """A figure, and of a rate its n and Wilson interval."""
    value = score.get(figure)
    if figure in PLAIN:
        return "-" if value is None else _percent(value) if figure in COSTS else f"{value:.2f}"
    count = score.get("n", {}).get(figure, 0)
    if value is None or not count:
        return "n = 0"
    low, high = score["wilson"][figure]
    return f"{_percent(value)} (n = {count}, {_percent(low)} to {_percent(high)})"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def publish(found: Sequence[Mapping[str, Any]], figures: str, result: Path, document: Path) -> None:
    """Print figures, keep what they are made of, and put them between the marks of a document."""
    print(figures)
    result.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    rewrite(document, result.name, figures)


def rewrite(readme: Path, result: str, figures: str) -> bool:
    """Put the figures of a result between its marks in the README; False where it has none."""
    text = readme.read_text(encoding="utf-8")
    begin = BEGIN.format(result)
    head, found, rest = text.partition(begin)
    if not found or END not in rest:
        return False
    tail = rest.split(END, 1)[1]
    readme.write_text(f"{head}{begin}\n{figures}\n{END}{tail}", encoding="utf-8")
    return True
