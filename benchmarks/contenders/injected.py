"""Contenders that run the gate's own predictors, each at a strength and a budget fixed beforehand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.contenders.states import Commit, Odds, read_all
from d2b_gate.core.features import Injection
from d2b_gate.gate.measure import no_injection
from d2b_gate.registry import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.truth.bench import Bench
    from d2b_gate.core.features import Injected
    from d2b_gate.core.mixture import Mixture
    from d2b_gate.core.rules import MethodSpec

Pair = tuple[Odds, Odds]
"""Readings before and after."""

SEED = 100
"""Seed of every predictor; the truth has seeds 0 to 2, so nothing is shared but the rows."""


def predictor(**settings: object) -> Callable[[Bench, Commit], Pair]:
    """A predictor of the registry with its method settings."""

    def predict(bench: Bench, commit: Commit) -> Pair:
        method = replace(bench.method, seed=SEED, **settings)  # type: ignore[arg-type]  # names are given literally
        return (
            read_all(bench, _inject(bench, commit.before(), method)),
            read_all(bench, _inject(bench, commit.after(), method)),
        )

    return predict


def _inject(bench: Bench, mixture: Mixture, method: MethodSpec) -> Injected:
    if mixture.empty:
        return no_injection(bench.backend.card)
    found: Injected = load("predictors", method.predictor).inject(mixture, method, bench.backend)
    return found


def random_direction(draw: int, **settings: object) -> Callable[[Bench, Commit], Pair]:
    """Vectors of random direction with the norms of a predictor's own: what any push of that size does."""

    def predict(bench: Bench, commit: Commit) -> Pair:
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
        return read_all(bench, untouched), read_all(bench, pushed)

    return predict
