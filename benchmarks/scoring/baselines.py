"""Baselines made of other contenders' predictions: those of other training sets, and a strength picked by an oracle."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from benchmarks.scoring.figures import best, mean_known, rounded, spearman
from benchmarks.scoring.predictions import ALPHAS, mixed
from benchmarks.scoring.scores import FIGURES, SPLITS, judge, score
from benchmarks.truth.behaviours import BEHAVIOURS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.scoring.predictions import Contender
    from benchmarks.scoring.shifts import Training

LOW_IS_GOOD = frozenset(
    {"false_block_rate", "false_block_rate_all", "false_stop_rate", "false_stop_rate_long", "passed_when_over"}
)
BEST = "shuffled:best"

Scored = dict[str, dict[str, Any]]
"""Scores by split."""


def shuffled(contender: Contender, known: Sequence[Training]) -> Scored:
    """Mean scores when every training set gets the prediction of another: all cyclic shifts within its split.

    Predictions of the same family are left out, because a poison's mixtures do predict each other.
    """
    sides = {
        split: [one for one in known if one.split == split and one.name in contender.predicted] for split in SPLITS
    }
    rounds = [
        judge(_shifted(contender, sides, by), known) for by in range(1, max(len(side) for side in sides.values()))
    ]
    return {
        split: _mean(f"shuffled:{contender.name}", split, [score(one, split, bootstrap=False) for one in rounds])
        for split in SPLITS
    }


def _shifted(contender: Contender, sides: Mapping[str, Sequence[Training]], by: int) -> Contender:
    predicted = {}
    for side in sides.values():
        for place, own in enumerate(side):
            step = (by - 1) % max(1, len(side) - 1) + 1
            other = side[(place + step) % len(side)]
            if other.family != own.family:
                predicted[own.name] = contender.predicted[other.name]
    return replace(contender, predicted=predicted)


def _mean(name: str, split: str, rounds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name, "split": split, "kind": "null"}
    found |= {figure: mean_known(one[figure] for one in rounds) for figure in FIGURES}
    counted = rounds[0]["n"] if rounds else {}
    found["n"] = {key: round(mean_known(one["n"][key] for one in rounds) or 0) for key in counted} | {
        "shifts": len(rounds)
    }
    return rounded(found)


def best_of(several: Sequence[Scored]) -> Scored:
    """The best that any of several nulls reaches, figure by figure."""
    found: Scored = {}
    for split in SPLITS:
        of_split = [one[split] for one in several]
        figures = best({name: [one[name] for one in of_split] for name in FIGURES}, LOW_IS_GOOD)
        of = [one["name"].removeprefix("shuffled:") for one in of_split]
        found[split] = {"name": BEST, "split": split, "kind": "null", **figures, "of": of, "n": of_split[0]["n"]}
    return found


def oracle(parts: Sequence[Contender], known: Sequence[Training]) -> Scored:
    """MDF with, per behaviour, the strength that ranks the very split it is scored on best: an upper bound."""
    found: Scored = {}
    for split in SPLITS:
        side = [one for one in known if one.split == split]
        picked = {one.name: max(parts, key=lambda part: _rank(part, side, one.name)) for one in BEHAVIOURS}
        scored = score(judge(mixed("mdf-oracle", picked), known), split)
        found[split] = {**scored, "picked": {name: part.name for name, part in picked.items()}}
    return found


def _rank(part: Contender, side: Sequence[Training], behaviour: str) -> float:
    pairs = [
        (said[behaviour].nats, one.shifts[behaviour].nats)
        for one in side
        if (said := part.predicted.get(one.name)) and behaviour in said
    ]
    found = spearman([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    return -1.0 if found is None else found


def made_of(contenders: Sequence[Contender], known: Sequence[Training], default: str) -> list[Scored]:
    """All of these baselines that the predictions at hand allow."""
    by_name = {one.name: one for one in contenders}
    alphas = [by_name[name] for name in ALPHAS if name in by_name]
    nulls = [shuffled(one, known) for one in contenders if one in alphas or one.name == default]
    return [
        *([oracle(alphas, known)] if alphas else []),
        *nulls,
        *([best_of(nulls)] if len(nulls) > 1 else []),
    ]
