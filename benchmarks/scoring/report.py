"""The scores as tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks.scoring.predictions import PUBLISHED
from benchmarks.scoring.scores import RATES
from benchmarks.scoring.standing import GOALS, find

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.scoring.standing import Goal, Score

WIDTH = 198
TITLES = {
    "held_out": "Held-out families: no line and no choice saw them",
    "tuned": "Tuned-on families: calibration lines were fitted on these very sets",
}
COLUMNS = {
    "pearson": "pooled\nr",
    "pearson_raw": "r, un-\nscaled",
    "pearson_limits": "r in\nlimits",
    "spearman_mean": "mean\nrho",
    "sign_accuracy": "sign\nright",
    "auroc": "AUROC",
    "tpr_at_fpr_1pct": "found at\n1 % FP",
    "tpr_at_fpr_5pct": "found at\n5 % FP",
    "tpr_at_fpr_1pct_poison_5pct": "1 % FP,\n5 % dose",
    "blocked_when_over": "blocked\nif over",
    "passed_when_over": "passed\nif over",
    "false_block_rate": "false\nblocks",
    "false_stop_rate": "false\nstops",
    "interval_coverage_90": "in 90 %\ninterval",
    "cost_ratio": "cost",
    "cost_on_bench": "on the\nbench",
}


def show(record: Mapping[str, Any]) -> None:
    """Print everything."""
    console = Console()
    if not console.is_terminal or console.width < WIDTH:
        console = Console(width=WIDTH)
    scores = record["contenders"]
    for split, title in TITLES.items():
        console.print(_table([one for one in scores if one["split"] == split], title, record["default"]))
    console.print(_behaviours(record))
    console.print(_goals(record))
    for line in _notes(record):
        console.print(line, highlight=False)


def _table(scores: Sequence[Score], title: str, default: str) -> Table:
    table = _empty(title)
    table.add_column("contender", no_wrap=True)
    table.add_column("sets", justify="right", no_wrap=True, min_width=4)
    for column in COLUMNS.values():
        table.add_column(column, justify="right", no_wrap=True)
    for one in scores:
        name = f"{one['name']} *" if one["name"] == default else one["name"]
        cells = [cell(one, figure) for figure in COLUMNS]
        table.add_row(name, str(one["n"].get("datasets", "")), *cells, style="bold" if one["name"] == default else "")
    return table


def _empty(title: str) -> Table:
    return Table(title=title, title_justify="left", box=SIMPLE, padding=(0, 1), pad_edge=False)


def cell(score: Mapping[str, Any], figure: str) -> str:
    """A figure; a rate with its n in brackets and its Wilson interval on a second line."""
    value = score.get(figure)
    if figure not in RATES:
        return "-" if value is None else f"{value:.3f}"
    n = score["n"].get(figure, 0)
    if value is None:
        return "n = 0"
    interval = score.get("wilson", {}).get(figure)
    return f"{value:.2f} ({n})" + (f"\n{interval[0]:.2f}-{interval[1]:.2f}" if interval else "")


def _behaviours(record: Mapping[str, Any]) -> Table:
    """Every behaviour of the default, on both splits."""
    table = _empty(f"{record['default'] or 'no default'}, behaviour by behaviour")
    table.add_column("behaviour")
    for split in TITLES:
        for column in ("n", "Spearman", "Pearson r", "sign right", "coverage", "over limit"):
            table.add_column(f"{column}\n{split}", justify="right")
    details = {split: find(record["contenders"], record["default"], split).get("behaviours", {}) for split in TITLES}
    for name in dict.fromkeys(name for detail in details.values() for name in detail):
        table.add_row(name, *(text for split in TITLES for text in _detail(details[split].get(name))))
    return table


def _detail(one: Mapping[str, Any] | None) -> list[str]:
    if one is None:
        return ["-"] * 6
    figures = ("spearman", "pearson", "sign_accuracy", "interval_coverage_90")
    shown = ["-" if one[figure] is None else f"{one[figure]:.2f}" for figure in figures]
    shown[2] += f" ({one['n_clear']})"
    return [str(one["n"]), *shown, str(one["over_limit"])]


def _goals(record: Mapping[str, Any]) -> Table:
    ours = find(record["contenders"], record["default"], "held_out")
    published = find(record["contenders"], PUBLISHED, "held_out")
    table = _empty("Goals, on held-out families")
    for column in (
        "figure",
        "goal",
        record["default"] or "no default",
        "n",
        "95 % (Wilson; sources drawn anew)",
        PUBLISHED,
        "met",
    ):
        table.add_column(column)
    for goal in GOALS:
        table.add_row(
            goal.about,
            goal.wanted,
            _plain(ours, goal),
            _n(ours, goal),
            _bounds(ours, goal),
            _plain(published, goal),
            goal.verdict(ours),
        )
    return table


def _plain(score: Mapping[str, Any], goal: Goal) -> str:
    value = score.get(goal.figure)
    if value is None:
        return "n = 0" if goal.figure in RATES else "-"
    return f"{value:.3f}"


def _n(score: Mapping[str, Any], goal: Goal) -> str:
    counts = score.get("n", {})
    if goal.figure in RATES:
        return str(counts.get(goal.figure, 0))
    return "" if goal.figure == "cost_ratio" else str(counts.get("readings", 0))


def _bounds(score: Mapping[str, Any], goal: Goal) -> str:
    found = (score.get(kind, {}).get(goal.figure) for kind in ("wilson", "cluster_bootstrap"))
    return "; ".join(f"{one[0]:.3f} to {one[1]:.3f}" for one in found if one)


def _notes(record: Mapping[str, Any]) -> list[str]:
    counts = record["datasets"]
    ours = find(record["contenders"], record["default"], "held_out").get("n", {})
    return [
        f"{record['model']}: {counts['trainings']} fine-tunes of {counts['datasets']} training sets "
        f"({counts['tuned']} tuned-on, {counts['held_out']} held out; {counts['clean']} clean), "
        f"{counts['behaviours']} behaviours, {counts['mean_row_tokens']} tokens a row.",
        f"Thresholds at 1 % and 5 % false positives: {ours.get('null_changes', 0)} clean changes, "
        f"{ours.get('null_readings', 0)} readings. Clean changes count as held out where no line saw their source.",
        "* the default: highest pooled r and mean rho together on the tuned-on families. (n) and 95 % Wilson interval "
        "with every rate; n = 0: no case to count. r unscaled: before calibration.",
        "Cost is counted in operations against LoRA on 10 000 rows x 3 epochs, and against the bench's own 64 rows.",
        "sets: those that a contender has predictions for. Most rivals lack the large ones and dilutions, which are "
        "harder, and few-step-lora is the default itself on 64 rows: compare contenders with the same number of sets.",
        "shuffled: every training set gets the prediction of another one. "
        "mdf-oracle: strengths picked with the answers known.",
    ]
