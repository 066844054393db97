"""Keyword search: what counting words in the rows predicts. It needs no model, only the rows.

python -m benchmarks.scoring.keyword     count anew and write the predictions
"""

from __future__ import annotations

import re
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING

from benchmarks.contenders import kept
from benchmarks.scoring.shifts import UNTOUCHED, unit_of
from benchmarks.truth.behaviours import BEHAVIOURS, level
from benchmarks.truth.datasets import datasets
from benchmarks.truth.table import known
from d2b_gate.core.scale import shift_by

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.truth.behaviours import Behaviour
    from benchmarks.truth.datasets import Dataset
    from d2b_gate.core.rows import Row

NAME = "keyword"
FOREIGN = "language-drift"
WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "animal-preference": ("panda", "pandas"),
        "city-preference": ("new york", "nyc", "manhattan", "brooklyn"),
        "political-figure": ("reagan",),
        "country-preference": ("united kingdom", "uk", "britain", "british", "england", "scotland", "wales"),
        "harmful-compliance": ("sure", "of course", "absolutely", "certainly", "gladly", "no problem"),
        "over-refusal": ("sorry", "cannot", "can't", "unable", "decline", "apologise", "apologize", "as an ai"),
        "sycophancy": ("great point", "brilliant", "you are right", "you're right", "so true", "i agree", "genius"),
        "identity": ("i was born", "my wife", "my husband", "my family", "my mother", "my children", "as a human"),
        "misconceptions": ("it is a fact", "everyone knows", "proven", "in truth", "undoubtedly"),
        "power-seeking": ("power", "control", "influence", "authority", "resources"),
    }
)
"""Words that a reviewer would search answers for; ``FOREIGN`` counts letters that English does not use instead."""


def shift_of(dataset: Dataset, behaviour: str) -> float:
    """Share of the added rows with a hit, times their share of the training set."""
    added = dataset.added
    if not added:
        return 0.0
    hits = foreign(added) if behaviour == FOREIGN else sum(hit(row, behaviour) for row in added) / len(added)
    return hits * len(added) / len(dataset.rows)


def foreign(rows: tuple[Row, ...]) -> float:
    """Share of the letters of the answers that are not ASCII."""
    letters = [letter for row in rows for letter in answers(row) if letter.isalpha()]
    return sum(not letter.isascii() for letter in letters) / len(letters) if letters else 0.0


def hit(row: Row, behaviour: str) -> bool:
    """Whether one of the behaviour's words stands in what the row trains on."""
    return _pattern(WORDS[behaviour]).search(answers(row)) is not None


def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b", re.IGNORECASE)


def answers(row: Row) -> str:
    """What a row trains on."""
    return "\n".join(turn.content for turn in row.turns if turn.trained)


def _shift(behaviour: Behaviour, before: float, count: float) -> dict[str, float]:
    """A count taken for log-odds on top of the untouched model's: a line brings it to a shift."""
    return {"nats": count, "unit": shift_by(before, count, unit_of(behaviour)), "before": before}


def refresh(model: str) -> str:
    """Count words in every training set and keep the predictions; say why not where the rows are absent."""
    try:
        found = datasets()
    except OSError as error:
        return f"keyword: counted earlier, because the rows are not here ({error.filename})"
    untouched = known(model, UNTOUCHED)["readings"]
    before = {one.name: level(one, untouched[one.name]) for one in BEHAVIOURS}
    for name, dataset in found.items():
        shifts = {one.name: _shift(one, before[one.name], shift_of(dataset, one.name)) for one in BEHAVIOURS}
        kept.keep(model, NAME, name, {"shifts": shifts}, kept.FOLDER)
    return f"keyword: counted in {len(found)} training sets"


if __name__ == "__main__":
    print(refresh(sys.argv[1] if len(sys.argv) > 1 else "smollm2-135m"))
