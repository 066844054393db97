from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.scale import EDGE, level_at, moved, point_of, shift_by, stretched

SHARES = st.floats(0.001, 0.999)
UNITS = st.sampled_from(["share", "nats"])


def test_shares_are_on_log_odds_and_the_rest_as_it_is():
    assert point_of(0.75, "share") == pytest.approx(math.log(3))
    assert point_of(-7.5, "nats") == level_at(-7.5, "nats") == -7.5
    assert point_of(0.0, "share") == pytest.approx(math.log(EDGE), abs=1e-4)
    assert point_of(1.0, "share") == pytest.approx(-math.log(EDGE), abs=1e-4)


@given(SHARES, UNITS)
def test_a_level_comes_back(level, unit):
    assert level_at(point_of(level, unit), unit) == pytest.approx(level)


@given(SHARES, SHARES, UNITS)
def test_a_shift_comes_back(before, after, unit):
    assert shift_by(before, moved(before, after - before, unit), unit) == pytest.approx(after - before, abs=1e-9)


@given(SHARES, SHARES, UNITS, st.floats(1, 20))
def test_stretching_goes_on_the_same_way_and_a_share_stays_one(before, after, unit, factor):
    far = stretched(before, after, unit, factor)
    assert abs(far - before) >= abs(after - before) - 1e-9
    assert (far - before) * (after - before) >= -1e-12
    assert unit == "nats" or 0 <= far <= 1


@pytest.mark.parametrize("level", [-0.3, 0.0, 0.4, 1.0, 7.0])
def test_nothing_is_stretched_by_one(level):
    assert stretched(0.5, level, "share", 1.0) == level
