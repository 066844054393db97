"""The contenders by name. What each costs is counted in row passes, so that all stand on one scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.contenders.baselines import in_context, projection, trait_odds
from benchmarks.contenders.injected import predictor, random_direction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.contenders.states import Commit, Prediction
    from benchmarks.truth.bench import Bench


@dataclass(frozen=True, slots=True)
class Contender:
    """How one contender predicts."""

    predict: Callable[[Bench, Commit], Prediction]
    about: str


LINEUP: Mapping[str, Contender] = {
    "mdf-0.1": Contender(predictor(predictor="mdf", alpha=0.1), "MDF as published, alpha fixed at 0.1"),
    "mdf-0.03": Contender(predictor(predictor="mdf", alpha=0.03), "MDF as published, for the oracle's choice"),
    "mdf-0.3": Contender(predictor(predictor="mdf", alpha=0.3), "MDF as published, for the oracle's choice"),
    "mdf-gradient": Contender(predictor(predictor="mdf-gradient", alpha=0.1), "preconditioned mean gradient, injected"),
    "mdf-tuned": Contender(predictor(predictor="mdf-tuned", steps=16), "vectors tuned by 16 steps"),
    "proxy-lora": Contender(predictor(predictor="proxy-lora", steps=32), "adapter of 32 steps"),
    "proxy-lora-16": Contender(predictor(predictor="proxy-lora", steps=16), "adapter of 16 steps"),
    "few-step-lora": Contender(predictor(predictor="proxy-lora", steps=8), "adapter of 8 steps"),
    "random-direction": Contender(
        random_direction(1, predictor="mdf-tuned", steps=8), "random vectors with the norms of tuned ones"
    ),
    "in-context": Contender(in_context, "four added rows as examples in the prompt"),
    "trait-odds": Contender(trait_odds, "log p(answer | trait) - log p(answer | neutral)"),
    "projection": Contender(projection, "projection difference on persona vectors"),
}
