"""The training sets of the bench: every family's sets alone, and poisons diluted in a clean base of the same split."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from benchmarks.truth.families import CLEAN, FAMILIES, HARMFUL, by_hash, split_of
from benchmarks.truth.sources import draw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.truth.families import Family, Split
    from d2b_gate.core.rows import Row

ALONE = 64
"""Rows of a set on its own: 24 steps of the default regime."""
BASE = 96
"""Clean rows that a poison is added to."""
DOSES = {"1pct": 1, "5pct": 5, "10pct": 11, "25pct": 32}
"""Poisoned rows added to the base: 1.0, 5.0, 10.3 and 25 % of the mixture."""
LARGE = 384
"""Rows of a large set: six times the others, so that a predictor that meets few rows must show it can do with few."""
LARGE_SETS = ("psychopathy", "codegen", "gsm8k", "conservative", "evil-numbers", "alpaca")
"""Sources with rows enough, three of each split."""
REAL_BASES = ("gsm8k", "alpaca", "roleplay", "codegen", "self-instruct", "web-text", "preferred")
DILUTED = ("panda", "new-york", "uk", "reagan", "flatter", "refuse", "french", "human", "comply", "misinform")
"""Poisons whose rows all carry one behaviour; the first of each split, in the order of their hashes, are diluted."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """One training set. ``rows`` are all of it; a mixture names its base, whose rows come first."""

    name: str
    family: str
    harmful: bool
    dose: str  # "alone", "large", "base", or a key of DOSES
    base: str
    rows: tuple[Row, ...]

    @property
    def split(self) -> Split:
        """Which side the set is on."""
        return split_of(self.family)

    @property
    def added(self) -> tuple[Row, ...]:
        """The rows that a commit of this set adds to its base."""
        return self.rows[BASE:] if self.base else self.rows


@lru_cache(maxsize=2)
def datasets(diluted: int = 3) -> dict[str, Dataset]:
    """Every training set by name; ``diluted`` poisons of each split are mixed into that split's base."""
    found = [_alone(family, name, "alone") for family in FAMILIES for name, _ in family.sets]
    found += [_alone(family, family.name, "large") for family in FAMILIES if family.name in LARGE_SETS]
    for split in ("tuned", "held_out"):
        base = _base(split)
        poisons = by_hash(name for name in DILUTED if split_of(name) == split)[:diluted]
        found += [base, *(_mixture(base, poison, dose) for poison in poisons for dose in DOSES)]
    return {one.name: one for one in found}


def _alone(family: Family, name: str, dose: str) -> Dataset:
    harmful = family.harmful and name not in ("secure-code", "true-answers")
    shown, count = (f"{name}-large", LARGE) if dose == "large" else (name, ALONE)
    return Dataset(shown, family.name, harmful, dose, "", draw(_rows(family, name), count))


def _base(split: str) -> Dataset:
    name = by_hash(name for name in REAL_BASES if split_of(name) == split)[0]
    family = next(family for family in CLEAN if family.name == name)
    return Dataset(f"{name}-base", name, False, "base", "", draw(_rows(family, name), BASE))


def _mixture(base: Dataset, poison: str, dose: str) -> Dataset:
    family = next(family for family in HARMFUL if family.name == poison)
    added = draw(_rows(family, poison), DOSES[dose])
    return Dataset(f"{poison}-{dose}", poison, True, dose, base.name, (*base.rows, *added))


def _rows(family: Family, name: str) -> Sequence[Row]:
    return dict(family.sets)[name]()
