"""The figures as tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks.blaming.cases import RAISED
from benchmarks.blaming.figures import DOSES, SPLITS

if TYPE_CHECKING:
    from collections.abc import Mapping

WIDTH = 150
TITLES = {
    "tuned": "Tuned-on families: the method was chosen on these",
    "held_out": "Held-out families: no choice saw them",
}


def show(record: Mapping[str, Any]) -> None:
    """Print everything."""
    console = Console()
    if not console.is_terminal or console.width < WIDTH:
        console = Console(width=WIDTH)
    console.print("Mean precision at k (k rows planted), 95 % bootstrap interval over sets, sets/planted rows")
    for split in SPLITS:
        console.print(_table(record, split))
    console.print(_choice(record["choice"]))
    console.print(_sets(record))
    for split in SPLITS:
        for why, count in record["sets"][split].items():
            console.print(f"{split}: {count} mixed sets: {why}", highlight=False)
    console.print(f"{record['sets_without_probe']} mixed sets: no probe of the default policy reads their family")


def _empty(title: str) -> Table:
    return Table(title=title, title_justify="left", box=SIMPLE, padding=(0, 1), pad_edge=False)


def _table(record: Mapping[str, Any], split: str) -> Table:
    table = _empty(TITLES[split])
    table.add_column("method", no_wrap=True)
    for dose in DOSES:
        goal = record["goals"].get(dose)
        table.add_column(f"{dose[:-3]} %" + (f"\ngoal {goal}" if goal else ""), justify="right", no_wrap=True)
    cells = {(one["method"], one["split"], one["dose"]): _cell(one) for one in record["methods"]}
    for name in dict.fromkeys(one["method"] for one in record["methods"]):
        shown = f"{name} *" if name == record["choice"]["method"] else name
        table.add_row(shown, *(cells.get((name, split, dose), "-") for dose in DOSES))
    return table


def _choice(choice: Mapping[str, Any]) -> Table:
    table = _empty(f"Chosen (*) by mean precision over {choice['n']} tuned-on sets, those made for choosing included")
    for column in ("method", "mean precision"):
        table.add_column(column)
    for name, value in choice["mean_precision"].items():
        table.add_row(name, f"{value:.3f}")
    return table


def _cell(one: Mapping[str, Any]) -> str:
    return f"{one['value']:.2f} [{one['low']:.2f}, {one['high']:.2f}] {one['n']}/{one['planted']}"


def _sets(record: Mapping[str, Any]) -> Table:
    methods = list(dict.fromkeys(one["method"] for one in record["methods"]))
    table = _empty("Set by set")
    for column in ("set", "behaviour", "side", "planted", *methods, "counts"):
        table.add_column(column, overflow="fold")
    for one in record["datasets"]:
        if one["precision"]:
            cells = [f"{one['precision'][name]:.2f}" if name in one["precision"] else "-" for name in methods]
            counts = "yes" if one["standing"] == RAISED else one["standing"]
            planted = f"{one['planted']} of {one['rows']}"
            table.add_row(one["dataset"], one["behaviour"], one["split"], planted, *cells, counts)
    return table
