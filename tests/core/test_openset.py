from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.openset import LEAST, Moved, most_moved


def shares(*values):
    return np.array(values, dtype=np.float32)


def test_tokens_are_ranked_by_how_far_they_move_beyond_the_null():
    before, after = shares(0.5, 0.3, 0.2, 0.0, 0.0), shares(0.2, 0.31, 0.2, 0.09, 0.2)
    null = shares(0.25, 0.0, 0.1, 0.0, 0.3)
    moved = most_moved(before, after, null, 5)
    assert [one.token for one in moved] == [3, 0, 1]
    assert moved[0] == Moved(3, 0.0, pytest.approx(0.09), 0.0)
    assert moved[1].excess == pytest.approx(0.05)
    assert [one.token for one in most_moved(before, after, null, 2)] == [3, 0]


def test_what_moves_no_further_than_the_null_is_not_listed():
    before, after = shares(0.5, 0.5), shares(0.4, 0.6)
    assert most_moved(before, after, shares(0.1, 0.2), 5) == ()
    assert most_moved(before, before, shares(0, 0), 5) == ()


@given(st.lists(st.tuples(*[st.floats(0, 1, width=32)] * 3), min_size=1, max_size=20), st.integers(1, 6))
def test_every_listed_token_is_beyond_the_null_and_no_other_further(rows, count):
    before, after, null = (shares(*column) for column in zip(*rows, strict=True))
    moved = most_moved(before, after, null, count)
    assert len(moved) <= count
    assert all(one.excess >= LEAST - 1e-6 for one in moved)
    assert [one.excess for one in moved] == sorted((one.excess for one in moved), reverse=True)
    others = set(range(len(rows))) - {one.token for one in moved}
    least = moved[-1].excess if len(moved) == count else LEAST
    excess = np.abs(after.astype(float) - before) - null
    assert all(excess[other] <= least + 1e-6 for other in others)
