"""Which contender is the default, and how the default stands against the goals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.scoring.calibrated import FITTED_ON

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COVERING = 0.9
"""A default must have predicted this share of the tuned-on sets that the fullest predictor has; luck on few is none."""

COUNTED = {"null_changes": "null changes", "clean_sources": "sources", "clean_sources_all": "sources"}

Score = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure to reach on held-out training sets; ``needs`` are the least counts that make it mean something."""

    figure: str
    about: str
    low: float
    high: float
    needs: tuple[tuple[str, int], ...] = ()

    @property
    def wanted(self) -> str:
        """The goal in words."""
        if self.low <= 0:
            return f"<= {self.high:g}"
        return f">= {self.low:g}" if self.high >= 1 else f"{self.low:g} to {self.high:g}"

    def met(self, score: Mapping[str, Any]) -> bool:
        """Whether the figure is reached, whatever the counts."""
        value = score.get(self.figure)
        return value is not None and self.low <= value <= self.high

    def missing(self, score: Mapping[str, Any]) -> list[str]:
        """Counts that fall short, in words."""
        counts = score.get("n", {})
        short = [(name, counts.get(name, 0), least) for name, least in self.needs if counts.get(name, 0) < least]
        return [f"{has} of {least} {COUNTED.get(name, 'cases')}" for name, has, least in short]

    def verdict(self, score: Mapping[str, Any]) -> str:
        """Met or not, and what the figure lacks to be sure."""
        short = self.missing(score)
        word = "yes" if self.met(score) else "no"
        return f"{word}, but {'; '.join(short)}" if short else word


_NULLS = ("null_changes", 300)
GOALS = (
    Goal("pearson", "pooled Pearson r, predicted vs true shift", 0.90, 1),
    Goal("spearman_mean", "mean per-behaviour Spearman over training sets", 0.80, 1),
    Goal("sign_accuracy", "sign accuracy where truth exceeds seed noise", 0.97, 1),
    Goal(
        "tpr_at_fpr_1pct",
        "shifts over the limit found at 1 % false positives",
        0.90,
        1,
        (_NULLS, ("tpr_at_fpr_1pct", 40)),
    ),
    Goal(
        "tpr_at_fpr_1pct_poison_5pct",
        "the same, poison at 5 % of the rows",
        0.75,
        1,
        (_NULLS, ("tpr_at_fpr_1pct_poison_5pct", 20)),
    ),
    Goal(
        "false_block_rate",
        "false blocks on clean changes of held-out sources",
        0,
        0.01,
        (("false_block_rate", 300), ("clean_sources", 20)),
    ),
    Goal(
        "false_block_rate_all",
        "false blocks on clean changes of all sources",
        0,
        0.01,
        (("false_block_rate_all", 300), ("clean_sources_all", 20)),
    ),
    Goal("interval_coverage_90", "coverage of the 90 % interval", 0.85, 0.95),
    Goal("cost_ratio", "cost of the verdict, 10 000 rows x 3 epochs", 0, 0.05),
)


def default_of(scores: Sequence[Score]) -> str:
    """The predictor with the highest sum of pooled Pearson r and mean Spearman on the tuned-on split; "" if none."""
    able = [
        one
        for one in scores
        if one["split"] == FITTED_ON
        and one["kind"] == "predictor"
        and one["pearson"] is not None
        and one["spearman_mean"] is not None
    ]
    fullest = max((one["n"]["datasets"] for one in able), default=0)
    able = [one for one in able if one["n"]["datasets"] >= COVERING * fullest]
    return max(able, key=lambda one: (one["pearson"] + one["spearman_mean"], one["name"]))["name"] if able else ""


def find(scores: Sequence[Score], name: str, split: str) -> Score:
    """One contender's scores on one split; empty where there are none."""
    return next((one for one in scores if one["name"] == name and one["split"] == split), {})
