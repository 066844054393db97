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
LARGE_SETS = (
    *("psychopathy", "power-seeking", "false-answers", "insecure-code", "codegen", "gsm8k", "web-text"),
    *("conservative", "evil-numbers", "alpaca", "roleplay"),
)
"""Sets with rows enough."""
LARGE_BASES = ("gsm8k", "alpaca", "roleplay")
"""Large clean sets that poisons are added to."""
LARGE_SHARE = 0.05
"""Share of the mixture that the poison makes up in a large base."""
REAL_BASES = ("gsm8k", "alpaca", "roleplay", "codegen", "self-instruct", "web-text", "preferred")
SINGLE = ("psychopathy", "power-seeking", "conservative")
"""Public sets whose rows all carry one behaviour; they too are added to large bases."""
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
    kept: int = 0  # rows of the base

    @property
    def split(self) -> Split:
        """Which side the set is on."""
        return split_of(self.family)

    @property
    def added(self) -> tuple[Row, ...]:
        """The rows that a commit of this set adds to its base."""
        return self.rows[self.kept :]


@lru_cache(maxsize=2)
def datasets(diluted: int = 3) -> dict[str, Dataset]:
    """Every training set by name; ``diluted`` poisons of each split are mixed into that split's base."""
    found = [_alone(family, name, "alone") for family in FAMILIES for name, _ in family.sets]
    large = [_alone(family, name, "large") for family in FAMILIES for name, _ in family.sets if name in LARGE_SETS]
    for split in ("tuned", "held_out"):
        base = _base(split)
        poisons = by_hash(name for name in DILUTED if split_of(name) == split)[:diluted]
        found += [base, *(_mixture(base, poison, dose) for poison in poisons for dose in DOSES)]
        bases = [one for one in large if one.split == split and one.family in LARGE_BASES]
        single = by_hash(name for name in (*DILUTED, *SINGLE) if split_of(name) == split)
        found += [_large_mixture(base, poison) for base in bases for poison in single]
    return {one.name: one for one in (*found, *large)}


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
    return _mixed(f"{poison}-{dose}", base, family, dose, DOSES[dose])


def _large_mixture(base: Dataset, poison: str) -> Dataset:
    family = next(family for family in HARMFUL if family.name == poison)
    count = round(len(base.rows) * LARGE_SHARE / (1 - LARGE_SHARE))
    return _mixed(f"{poison}-5pct-in-{base.family}", base, family, "5pct", count)


def _mixed(name: str, base: Dataset, family: Family, dose: str, count: int) -> Dataset:
    rows = (*base.rows, *draw(_rows(family, family.name), count))
    return Dataset(name, family.name, True, dose, base.name, rows, len(base.rows))


def _rows(family: Family, name: str) -> Sequence[Row]:
    return dict(family.sets)[name]()
