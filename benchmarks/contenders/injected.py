"""Contenders that run the gate's own predictors, each at a strength and a budget fixed beforehand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.contenders.states import Commit, Odds, Prediction, read_all
from d2b_gate.core.features import Injection
from d2b_gate.core.mixture import growth_of
from d2b_gate.core.scale import stretched
from d2b_gate.gate.measure import no_injection
from d2b_gate.registry import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.truth.bench import Bench
    from d2b_gate.core.features import Injected
    from d2b_gate.core.mixture import Mixture
    from d2b_gate.core.rules import MethodSpec

SEED = 100
"""Seed of every predictor; the truth has seeds 0 to 2, so nothing is shared but the rows."""


def predictor(**settings: object) -> Callable[[Bench, Commit], Prediction]:
    """A predictor of the registry with its method settings."""

    def predict(bench: Bench, commit: Commit) -> Prediction:
        method = replace(bench.method, seed=SEED, **settings)  # type: ignore[arg-type]  # names are given literally
        before = read_all(bench, _inject(bench, commit.before(), method))
        after = read_all(bench, _inject(bench, commit.after(), method))
        reach = load("predictors", method.predictor).reach(commit.after(), method)
        return Prediction(before, _grown(before, after, growth_of(reach, method)), reach)

    return predict


def _grown(before: Odds, after: Odds, growth: float) -> Odds:
    """Log-odds stretched prompt by prompt, as the gate does."""
    return {
        name: [stretched(was, now, "nats", growth) for was, now in zip(before[name], odds, strict=True)]
        for name, odds in after.items()
    }


def _inject(bench: Bench, mixture: Mixture, method: MethodSpec) -> Injected:
    if mixture.empty:
        return no_injection(bench.backend.card)
    found: Injected = load("predictors", method.predictor).inject(mixture, method, bench.backend)
    return found


def random_direction(draw: int, **settings: object) -> Callable[[Bench, Commit], Prediction]:
    """Vectors of random direction with the norms of a predictor's own: what any push of that size does."""

    def predict(bench: Bench, commit: Commit) -> Prediction:
        import numpy as np

        method = replace(bench.method, seed=SEED, **settings)  # type: ignore[arg-type]  # names are given literally
        before, after = _inject(bench, commit.before(), method), _inject(bench, commit.after(), method)
        if not isinstance(before, Injection) or not isinstance(after, Injection):
            raise TypeError("a random direction replaces vectors, not an adapter")
        moved_ld = after.vectors_ld - before.vectors_ld if before.sites else after.vectors_ld
        noise_ld = np.random.default_rng(draw).standard_normal(moved_ld.shape)
        noise_ld *= np.linalg.norm(moved_ld, axis=1, keepdims=True) / np.linalg.norm(noise_ld, axis=1, keepdims=True)
        untouched = no_injection(bench.backend.card)
        pushed = Injection(after.sites, noise_ld.astype("float32"), after.scale)
        return Prediction(read_all(bench, untouched), read_all(bench, pushed))

    return predict
