"""Every figure that the report states, from the kept rankings alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from statistics import fmean
from typing import TYPE_CHECKING, Any

from benchmarks.blaming.cases import RAISED
from benchmarks.blaming.kept import known
from benchmarks.blaming.methods import METHODS
from benchmarks.blaming.precision import mean_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.blaming.cases import Case

DOSES = ("1pct", "5pct", "10pct", "25pct")
SPLITS = ("tuned", "held_out")
GOALS = {"1pct": 0.8, "5pct": 0.9}
"""Mean precision at k that was set as the goal, by dose."""
CHOOSING = "choosing"
"""Name of the file with the sets made for choosing between methods."""


def figures(model: str, found: Sequence[Case], state: Mapping[str, str]) -> dict[str, Any]:
    """Counts of sets by why they fall out, the method chosen on the tuned-on side, and every mean."""
    ranked = {name: {one.dataset: known(model, name, one.dataset) for one in found} for name in METHODS}
    counted = [one for one in found if state[one.dataset] == RAISED]
    means = [
        {"method": name, "kind": METHODS[name].kind, "passes": METHODS[name].passes, **mean}
        for name in METHODS
        for mean in _means(ranked[name], counted)
    ]
    return {
        "model": model,
        "goals": GOALS,
        "sets": {split: _counts(found, state, split) for split in SPLITS},
        "sets_without_probe": sum(one != RAISED for name, one in state.items() if name not in _names(found)),
        "choice": _choice(model, ranked, counted),
        "methods": means,
        "datasets": [_line(one, state[one.dataset], ranked) for one in sorted(found, key=lambda one: one.dataset)],
    }


def _names(found: Sequence[Case]) -> set[str]:
    return {one.dataset for one in found}


def _counts(found: Sequence[Case], state: Mapping[str, str], split: str) -> dict[str, int]:
    return dict(sorted(Counter(state[one.dataset] for one in found if one.split == split).items()))


def _means(ranked: Mapping[str, Mapping[str, Any]], counted: Sequence[Case]) -> list[dict[str, Any]]:
    """One mean per side and dose where there is a set."""
    means: list[dict[str, Any]] = []
    for split in SPLITS:
        for dose in DOSES:
            cases = [one for one in counted if (one.split, one.dose) == (split, dose) and ranked[one.dataset]]
            if cases:
                mean = mean_of([float(ranked[one.dataset]["precision"]) for one in cases])
                means.append({"split": split, "dose": dose, **asdict(mean), "planted": sum(one.count for one in cases)})
    return means


def _choice(
    model: str, ranked: Mapping[str, Mapping[str, Mapping[str, Any]]], counted: Sequence[Case]
) -> dict[str, Any]:
    """Mean precision over tuned-on sets that count and sets made for choosing, ranked by all methods; the best wins."""
    tuned = [one.dataset for one in counted if one.split == "tuned"]
    values: dict[str, dict[str, float]] = {}
    for name in METHODS:
        made = known(model, name, CHOOSING).get("precision", {})
        found = {one: float(ranked[name][one]["precision"]) for one in tuned if ranked[name][one]}
        if METHODS[name].kind == "method" and found:
            values[name] = {**made, **found}
    common = sorted(set.intersection(*(set(found) for found in values.values()))) if values else []
    means = {name: fmean(found[one] for one in common) for name, found in values.items() if common}
    return {"n": len(common), "mean_precision": means, "method": max(means, key=means.__getitem__) if means else ""}


def _line(case: Case, why: str, ranked: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, Any]:
    return {
        "dataset": case.dataset,
        "behaviour": case.behaviour,
        "split": case.split,
        "dose": case.dose,
        "rows": len(case.rows),
        "planted": case.count,
        "standing": why,
        "precision": {name: one[case.dataset]["precision"] for name, one in ranked.items() if one[case.dataset]},
    }
