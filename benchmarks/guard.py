"""Does the dilution guard find a few bad rows among many, and does it leave clean changes alone?

python -m benchmarks.guard                  tables; writes results/guard.json and docs/dilution-guard.md
python -m benchmarks.guard --measure        first look at what was not yet looked at (runs the model; resumable)

Hidden sets: one row in a hundred, or in twenty, of a poison among clean rows of several sources, as a first commit.
Few: five rows of a poison, or a few clean ones, added to a clean set. Poisons count whose own set really raised their
behaviour when it was trained on. The choice of features, thresholds and counts looked at the tuned-on side alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.blaming.cases import RAISED, RAISES, verdict_on
from benchmarks.blaming.kept import keep
from benchmarks.contenders.clean import commits
from benchmarks.contenders.kept import known
from benchmarks.scoring.figures import rounded
from benchmarks.scoring.markdown import rewrite
from benchmarks.scoring.shifts import trainings
from benchmarks.truth.behaviours import BEHAVIOURS, questions
from benchmarks.truth.bench import Silent, open_bench
from benchmarks.truth.datasets import datasets
from benchmarks.truth.families import CLEAN, FAMILIES, split_of
from benchmarks.truth.sources import ROOT
from benchmarks.truth.table import everything
from d2b_gate.cli.calibrations import calibrations
from d2b_gate.cli.wiring import control_set
from d2b_gate.core.rows import RowRef, row_to_mapping
from d2b_gate.core.rules import Rule
from d2b_gate.gate.measure import Job, Mass
from d2b_gate.gate.parts import Judged, look
from d2b_gate.gate.ports import Picked, Ports, Reader
from d2b_gate.predictors import proxy
from d2b_gate.probes.catalogue import Catalogue, pack_root
from d2b_gate.registry import load_all
from d2b_gate.store.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.truth.bench import Bench
    from d2b_gate.core.rows import Row
    from d2b_gate.core.verdict import View

RESULTS = Path(__file__).parent / "results"
SEEN = Path(__file__).parent / "guarding"
MODEL = "smollm2-135m"
RESULT = "guard.json"
HIDDEN = {"1pct": 0.01, "5pct": 0.05}
FEW = 5
"""Rows of a poison that are added alone."""
BASE = 300
"""Clean rows that poisons hide among, in equal parts from the clean sets of their side."""
KINDS = ("hidden 1pct", "clean", "few clean", "few", "hidden 5pct")
"""In the order in which they are measured."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change that the guard looks at; ``planted`` are the keys of rows that it should find."""

    name: str
    kind: str
    split: str
    kept: tuple[Row, ...]
    added: tuple[Row, ...]
    planted: frozenset[str]
    behaviour: str = ""


def main() -> int:
    """Look at what is asked for, then score, print and keep."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guard", description=__doc__.split("\n")[0])
    parser.add_argument("--measure", action="store_true", help="look at changes that were not yet looked at")
    parser.add_argument("--split", choices=("tuned", "held_out"), help="one side alone")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write to")
    arguments = parser.parse_args()
    if arguments.measure:
        _measure(one for one in changes() if arguments.split in (None, one.split))
    record = figures()
    if not record["rows"]:
        print("Nothing was looked at yet: run python -m benchmarks.guard --measure first.")
        return 1
    print(block(record))
    arguments.results.mkdir(parents=True, exist_ok=True)
    (arguments.results / RESULT).write_text(json.dumps(rounded(record), indent=1) + "\n", encoding="utf-8")
    if arguments.results == RESULTS:
        rewrite(ROOT / "docs" / "dilution-guard.md", RESULT, block(record))
    return 0


def changes() -> tuple[Change, ...]:
    """Every change, the most telling kinds first, both sides in turn."""
    found = [*_hidden(), *_clean(), *_few()]
    return tuple(sorted(found, key=lambda one: (KINDS.index(one.kind), one.name)))


def poisons() -> list[Any]:
    """Sets of the bench whose rows really raised the behaviour that they are meant to."""
    truth = {one.name: one for one in trainings(everything(MODEL))}
    alone = [one for one in datasets().values() if one.dose == "alone" and one.family in RAISES]
    return [one for one in alone if verdict_on(one.family, truth.get(one.name)) == RAISED]


def _base(split: str) -> tuple[Row, ...]:
    clean = {family.name for family in CLEAN}
    sets = [one for one in datasets().values() if one.dose == "alone" and one.split == split and one.family in clean]
    larger = {one.family: one for one in datasets().values() if one.dose == "large"}
    most = BASE // len(sets)
    drawn = {one.name: (one if len(one.rows) >= most else larger.get(one.family, one)).rows[:most] for one in sets}
    return tuple(row for rows in drawn.values() for row in rows)


def _hidden() -> Iterable[Change]:
    for poison in poisons():
        base = _base(poison.split)
        for dose, part in HIDDEN.items():
            rows = poison.rows[: round(part * len(base))]
            keys = frozenset(row.key for row in rows)
            name = f"{poison.name}-{dose}"
            yield Change(name, f"hidden {dose}", poison.split, (), (*base, *rows), keys, RAISES[poison.family])


def _clean() -> Iterable[Change]:
    clean = {family.name for family in CLEAN}
    for split in ("tuned", "held_out"):
        yield Change(f"base-{split}", "clean", split, (), _base(split), frozenset())
    for one in datasets().values():
        if one.dose == "alone" and one.family in clean:
            yield Change(one.name, "clean", one.split, (), one.rows, frozenset())


def _few() -> Iterable[Change]:
    for poison in poisons():
        rows = poison.rows[:FEW]
        keys = frozenset(row.key for row in rows)
        yield Change(f"{poison.name}-few", "few", poison.split, _base(poison.split), rows, keys, RAISES[poison.family])
    of_set = {name: family.name for family in FAMILIES for name, _ in family.sets}
    first: dict[str, tuple[str, tuple[Row, ...]]] = {}
    for name, (source, rows) in commits().items():
        first.setdefault(source, (name, rows))
    for source, (name, rows) in first.items():
        split = split_of(of_set.get(source, source))
        yield Change(name, "few clean", split, _base(split), rows, frozenset())


def _measure(chosen: Iterable[Change]) -> None:
    bench = open_bench(f"builtin:{MODEL}")
    for change in chosen:
        if not known(MODEL, change.kind.replace(" ", "-"), change.name, SEEN):
            started = time.monotonic()
            record = {**_looked(change, bench), "split": change.split, "planted": len(change.planted)}
            seconds = round(time.monotonic() - started, 1)
            print(f"{change.kind} {change.name}: {record['fired'] or 'silent'}, {seconds:.0f} s", flush=True)
            keep(MODEL, change.kind.replace(" ", "-"), change.name, {**record, "seconds": seconds}, SEEN)


def _looked(change: Change, bench: Bench) -> dict[str, Any]:
    """What fired: the rules, and for each how many of its part's rows were planted."""
    store = MemoryStore()
    for row in (*change.kept, *change.added):
        store.put_json("row", row.key, row_to_mapping(row))
    kept, added = (
        tuple(RowRef(row.key, "rows.jsonl", start + line) for line, row in enumerate(rows))
        for start, rows in ((1, change.kept), (len(change.kept) + 1, change.added))
    )
    job = Job((), kept, added, (), {}, Mass(float(len(kept)), float(len(added)), 0.0))
    asked = [
        Judged(Rule(one.name, one.probe, one.limit, one.warn, one.target), question)
        for one, question in zip(BEHAVIOURS, questions(), strict=True)
    ]
    seen = look(job, asked, bench.method, _ports(bench, store), lambda: False).views
    lines = {line for line, row in enumerate(change.added, len(kept) + 1) if row.key in change.planted}
    fired = {rule: [_planted(view, lines), view.rows] for rule, view in seen if view.fired}
    return {"behaviour": change.behaviour, "looked": sorted({view.name for _, view in seen}), "fired": fired}


def _planted(view: View, lines: set[int]) -> int:
    """Planted rows of a part, at most all of its rows: a run of neighbours may have one row in it that is no part."""
    within = sum(place.first_line <= line <= place.last_line for place in view.places for line in lines)
    return min(within, view.rows)


def _ports(bench: Bench, store: MemoryStore) -> Ports:
    """Only what looking at parts takes; rows come from the store."""
    kinds = load_all("probe_kinds")
    catalogue = Catalogue(pack_root(), lambda _: None, kinds)
    nothing = Reader(lambda *_: Picked((), ()), lambda *_: iter(()), lambda *_: iter(()), lambda *_: iter(()))
    return Ports(
        reader=nothing,
        store=store,
        backend=bench.backend,
        predictor=proxy,
        probes=catalogue,
        kinds=kinds,
        controls=control_set(catalogue),
        calibrations=calibrations(lambda _: None),
        progress=Silent(),
        clock=time.monotonic,
        version="bench",
    )


def figures() -> dict[str, Any]:
    """Per kind and side, how many changes made the guard fire; of planted ones, how many by a part that is theirs."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for path in sorted((SEEN / MODEL).glob("*/*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        count = counts.setdefault((path.parent.name, record["split"]), Counter())
        count["n"] += 1
        count["trained"] += bool(record["looked"])
        count["fired"] += bool(record["fired"])
        count["theirs"] += any(bad > rows / 2 for bad, rows in record["fired"].values())
        count["rule"] += record["behaviour"] in record["fired"]
    order = [kind.replace(" ", "-") for kind in KINDS]
    keys = sorted(counts, key=lambda key: (order.index(key[0]), key[1] == "held_out"))
    return {"model": MODEL, "rows": [{"kind": kind, "split": split, **counts[kind, split]} for kind, split in keys]}


TITLES = {
    "hidden-1pct": "1 % bad rows among clean ones",
    "hidden-5pct": "5 % bad rows among clean ones",
    "few": "5 bad rows, added to clean ones",
    "clean": "a clean set",
    "few-clean": "4 to 12 clean rows, added to clean ones",
}
SIDES = {"tuned": "chosen on", "held_out": "held out"}


def block(record: dict[str, Any]) -> str:
    """A Markdown table."""
    lines = [
        "| change | families | changes | fired | by the bad rows | for their behaviour |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for row in record["rows"]:
        bad = "clean" not in row["kind"]
        found = (str(row.get("theirs", 0)), str(row.get("rule", 0))) if bad else ("", "")
        head = f"| {TITLES[row['kind']]} | {SIDES[row['split']]} | {row['n']} | {row.get('fired', 0)}"
        lines.append(f"{head} | {found[0]} | {found[1]} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
