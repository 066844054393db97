"""What the contenders predicted: for the bench's training sets, and for clean changes that nobody trained on.

``contenders/nulls/<model>/<contender>/<change>.json`` holds predictions of clean changes, laid out like predictions of
training sets, with the ``source`` that their rows come from: a family of the bench, a set of one, or any other
name.
"""

from __future__ import annotations

import json
from collections import ChainMap, defaultdict
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING, Any

from benchmarks.contenders import kept
from benchmarks.contenders.clean import EXAMPLES
from benchmarks.scoring.shifts import Shift, length_of
from benchmarks.truth.families import FAMILIES, split_of
from d2b_gate.core.calibration import NEAR, Extent
from d2b_gate.probes.catalogue import pack_root

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from benchmarks.scoring.shifts import Training

ALPHAS = ("mdf-0.03", "mdf-0.1", "mdf-0.3")
"""MDF as published, at the strengths that the oracle may pick from."""
SHIPPED = frozenset(path.stem for path in (pack_root() / "placebo").glob("*.jsonl")) | frozenset(EXAMPLES)
"""Clean rows that come with the gate: its placebos, and examples that people tuned by."""
PUBLISHED = "mdf-0.1"
"""MDF as published, at the strength fixed beforehand."""


@dataclass(frozen=True, slots=True)
class Null:
    """Prediction of a clean change without truth."""

    change: str
    source: str
    split: str
    shifts: Mapping[str, Shift]
    extent: Extent = NEAR


@dataclass(frozen=True, slots=True)
class Contender:
    """All that one contender predicted."""

    name: str
    predicted: Mapping[str, Mapping[str, Shift]]
    nulls: tuple[Null, ...] = ()
    reaches: Mapping[str, float] = field(default_factory=dict)  # by training set; 1 where nothing is said
    seconds: float | None = None

    @property
    def predictor(self) -> bool:
        """Whether it may become the default: a predictor of the gate, not a baseline."""
        return self.name.startswith(("mdf-", "proxy-lora")) and self.name != "mdf-oracle"

    def extent(self, training: Training) -> Extent:
        """How far a training lies beyond what predicts it."""
        return Extent(training.length, self.reaches.get(training.name, 1.0))


def contenders(model: str, names: Iterable[str]) -> list[Contender]:
    """Every contender that has predicted one of the training sets ``names``, in the order of their names."""
    wanted = list(names)
    found = [_contender(model, folder.name, wanted) for folder in _folders(kept.FOLDER / model)]
    return [one for one in found if one.predicted]


def _contender(model: str, name: str, wanted: Iterable[str]) -> Contender:
    records = {dataset: record for dataset in wanted if (record := kept.known(model, name, dataset, kept.FOLDER))}
    seconds = [record["seconds"] for record in records.values() if "seconds" in record]
    return Contender(
        name=name,
        predicted={dataset: _shifts(record) for dataset, record in records.items()},
        reaches={dataset: record.get("reach", 1.0) for dataset, record in records.items()},
        nulls=tuple(_null(path) for path in sorted((kept.NULLS / model / name).glob("*.json"))),
        seconds=fmean(seconds) if seconds else None,
    )


def _null(path: Path) -> Null:
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    source = family_of(record["source"])
    extent = Extent(length_of(record["rows"]), record.get("reach", 1.0))
    return Null(path.stem, source, record.get("split") or side_of(source), _shifts(record), extent)


def family_of(source: str) -> str:
    """The family that a source is a set of; a source of its own otherwise."""
    return {name: family.name for family in FAMILIES for name, _ in family.sets}.get(source, source)


def side_of(source: str) -> str:
    """Side of a clean change: rows of a source that no line was fitted on are held out."""
    family = family_of(source)
    if family in {one.name for one in FAMILIES}:
        return split_of(family)
    return "tuned" if source in SHIPPED else "held_out"


def _shifts(record: Mapping[str, Any]) -> dict[str, Shift]:
    return {
        name: Shift(*(float(one[field]) for field in ("nats", "unit", "before")))
        for name, one in record["shifts"].items()
    }


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.glob("*") if path.is_dir())


def mixed(name: str, parts: Mapping[str, Contender]) -> Contender:
    """A contender that takes each behaviour from the contender named for it; all of them meet the same rows."""
    predicted: dict[str, dict[str, Shift]] = defaultdict(dict)
    nulls: dict[str, list[tuple[Null, str]]] = defaultdict(list)
    for behaviour, part in parts.items():
        for dataset, shifts in part.predicted.items():
            if behaviour in shifts:
                predicted[dataset][behaviour] = shifts[behaviour]
        for null in part.nulls:
            nulls[null.change].append((null, behaviour))
    joined = tuple(_joined(pieces) for _, pieces in sorted(nulls.items()))
    return Contender(name, predicted, joined, dict(ChainMap(*(dict(part.reaches) for part in parts.values()))))


def _joined(pieces: list[tuple[Null, str]]) -> Null:
    first = pieces[0][0]
    shifts = {behaviour: null.shifts[behaviour] for null, behaviour in pieces if behaviour in null.shifts}
    return Null(first.change, first.source, first.split, shifts, first.extent)
