"""Groups alone: the group that moves the probe far is blamed, and nothing is said where none does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.alone import Alone, parts_of, suspects, within

shifts = st.lists(st.floats(-5, 5), min_size=1, max_size=8)
OWN = [0.0] * 6


def groups(*moves):
    """Groups of two rows each."""
    return [Alone((2 * i, 2 * i + 1), move) for i, move in enumerate(moves)]


def test_rows_of_the_group_that_moves_the_probe_far_have_the_largest_parts():
    parts = parts_of(groups(0.1, 3.0, -0.2), OWN)
    assert parts == pytest.approx((0.0, 0.0, 2.9, 2.9, -0.3, -0.3))


def test_own_parts_order_the_rows_of_one_group_and_no_others():
    parts = parts_of(groups(0.1, 3.0, 0.2), [9.0, 8.0, 1.0, 2.0, 4.0, 3.0])
    assert sorted(range(6), key=lambda row: -parts[row]) == [3, 2, 4, 5, 0, 1]


def test_nothing_is_said_where_rows_do_much_the_same_or_the_opposite():
    assert parts_of(groups(2.0, 2.5, 3.0), OWN) == ()
    assert parts_of(groups(-2.0, -0.5, 0.0), OWN) == ()
    assert parts_of([], []) == ()


@given(shifts, st.floats(0.01, 100))
def test_the_unit_of_shifts_and_of_own_parts_does_not_change_the_order(moves, unit):
    own = [float(i % 3) for i in range(2 * len(moves))]
    parts = parts_of(groups(*moves), own)
    scaled = parts_of(groups(*(unit * move for move in moves)), [unit * part for part in own])
    assert scaled == pytest.approx([unit * part for part in parts], rel=1e-6, abs=1e-9)


def test_suspects_are_named_by_turns_and_once():
    pushed = groups(3.0, 2.0, 1.0, 0.0)
    own = [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 9.0, -9.0]
    assert suspects(pushed, own, 3) == (0, 2, 1)
    assert suspects(pushed, own, 9) == (0, 2, 1, 3)


@given(shifts, st.integers(1, 9))
def test_suspects_are_groups_no_more_than_asked_for(moves, most):
    found = suspects(groups(*moves), [0.0] * (2 * len(moves)), most)
    assert len(found) == len(set(found)) == min(most, len(moves))
    assert set(found) <= set(range(len(moves)))


def test_a_part_that_is_pushed_less_far_keeps_less_of_its_group_s_shift():
    group = Alone((0, 1, 2), 4.0)
    finer = [Alone((0,), 3.0), Alone((1,), 1.0), Alone((2,), -1.0)]
    assert within(group, 2.0, finer) == (Alone((0,), 4.0), Alone((1,), 2.0), Alone((2,), 0.0))


@pytest.mark.parametrize("pushed", [-1.0, 0.0, 1.9])
def test_a_push_that_does_not_see_what_the_group_does_says_nothing_of_its_parts(pushed):
    group = Alone((0, 1), 4.0)
    assert within(group, pushed, [Alone((0,), 3.0), Alone((1,), 1.0)]) == (group,)
