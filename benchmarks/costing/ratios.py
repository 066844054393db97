"""From the timed stages to the ratios of the goals; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.costing.flops import Work

if TYPE_CHECKING:
    from collections.abc import Mapping


def ratios(
    finetune: Mapping[str, Any], extraction: Mapping[str, Any], cold: Mapping[str, Any], warm: Mapping[str, Any]
) -> dict[str, Any]:
    """Cost of the gate over the cost of the faster of the two fine-tunes, in seconds.

    A cold run that embedded every row has timed that itself. One that did not is charged for it at the measured rate,
    and the warm one for the rows of its change.
    """
    whole, rows, changed = finetune["whole"], cold["of"], warm["changed"]
    per_row = finetune["tokens_per_row"] / extraction["tokens_per_second"]
    own = cold["rows"] >= rows
    cold_features = cold["seconds"]["features"] + (0.0 if own else per_row * rows)
    warm_features = warm["seconds"]["features"] + (0.0 if own else per_row * changed)
    every = cold_features if own else per_row * rows
    return {
        "rows": rows,
        "changed_rows": changed,
        "every_row": "timed in the run on the empty store" if own else "the measured rate, times the rows",
        "seconds": {
            "fine-tune": whole,
            "cold": _path(cold) + cold_features,
            "warm": _path(warm) + warm_features,
            "every row": every,
            "verdict path": warm["path"],
        },
        "verdict_path": warm["path"] / whole,
        "cold": (_path(cold) + cold_features) / whole,
        "features": every / whole,
        "changed": (_path(warm) + warm_features) / (_path(cold) + cold_features),
        "changed_features": warm_features / cold_features,
        "flops": {
            "warm": _flops(warm, extraction) / finetune["flops"],
            "cold": _flops(cold, extraction) / finetune["flops"],
        },
    }


def _flops(run: Mapping[str, Any], extraction: Mapping[str, Any]) -> float:
    """Of the blocks, in everything that a run computed; padding is work too."""
    work = Work(sum(run["forward"].values()), sum(run["backward"].values()))
    return work.flops(extraction["block_parameters"])


def _path(run: Mapping[str, Any]) -> float:
    """Trainings and readings."""
    return float(run["path"] - run["seconds"]["features"])
