import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.interval import estimate, holm


def test_interval_covers_the_mean_about_as_often_as_it_says():
    rng = random.Random(1)
    hits = 0
    for trial in range(200):
        values = (tuple(rng.gauss(3.0, 1.0) for _ in range(24)),)
        got = estimate(values, 0.9, trial)
        hits += got.low <= 3.0 <= got.high
    assert 0.83 <= hits / 200 <= 0.95


def test_constant_values_have_no_width():
    got = estimate(((0.5,) * 8, (0.5,) * 8), 0.95, 0)
    assert (got.mean, got.low, got.high) == (0.5, 0.5, 0.5)
    assert got.error == 0.0


def test_replicates_that_disagree_widen_the_interval():
    agreeing = estimate(((1.0, 2.0, 3.0),) * 2, 0.95, 0)
    disagreeing = estimate(((0.0, 1.0, 2.0), (2.0, 3.0, 4.0)), 0.95, 0)
    assert disagreeing.mean == agreeing.mean
    assert disagreeing.error > agreeing.error * 1.2


def test_the_seed_alone_decides_the_resamples():
    values = ((0.1, 0.5, 0.9, 0.2),)
    assert estimate(values, 0.95, 7) == estimate(values, 0.95, 7)
    assert estimate(values, 0.95, 7) != estimate(values, 0.95, 8)


def test_holm_known_example():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_never_lowers_a_p_value_and_keeps_their_order(p_values):
    adjusted = holm(p_values)
    assert all(a >= p for a, p in zip(adjusted, p_values, strict=True))
    assert all(a <= 1 for a in adjusted)
    ranked = sorted(zip(p_values, adjusted, strict=True))
    assert [a for _, a in ranked] == sorted(a for _, a in ranked)
