"""The search for the fewest rows to take out."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.quarantine import neighbours, smallest_prefix
from d2b_gate.core.rows import RowRef


@given(st.data(), st.integers(1, 3000), st.integers(0, 4000))
def test_the_smallest_prefix_is_found_in_few_tries(data, total, guess):
    least = data.draw(st.integers(1, total))
    tried = []

    def passes(size):
        tried.append(size)
        return size >= least

    found = smallest_prefix(total, guess, passes, lambda: True)
    assert (found.size, found.smallest, found.ended_early) == (least, True, False)
    assert len(tried) == len(set(tried))
    assert all(1 <= size <= total for size in tried)
    assert len(tried) <= 2 * math.ceil(math.log2(total) + 1) + 1


@given(st.integers(0, 3000), st.integers(0, 4000))
def test_where_nothing_passes_all_is_tried_once(total, guess):
    tried = []
    found = smallest_prefix(total, guess, lambda size: tried.append(size) or False, lambda: True)
    assert found.size == 0
    assert not found.ended_early or not total
    assert tried.count(total) == (1 if total else 0)


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 3000), st.integers(0, 12))
def test_where_tries_end_the_best_so_far_stands(total, guess, least, most):
    tried = []

    def passes(size):
        tried.append(size)
        return size >= least

    found = smallest_prefix(total, guess, passes, lambda: len(tried) < most)
    assert len(tried) <= most
    passed = [size for size in tried if size >= least]
    assert found.size == min(passed, default=0)
    assert found.smallest == (found.size > 0 and (found.size - 1 in tried or found.size == 1))
    if found.ended_early:
        assert len(tried) == most
        assert not found.smallest


def test_an_oracle_that_is_not_monotone_still_gives_what_passes():
    found = smallest_prefix(100, 3, lambda size: size in (6, 7), lambda: True)
    assert found.size == 6


def ref(line, path="a", key="k"):
    return RowRef(key, path, line)


def test_rows_are_neighbours_where_no_other_row_stands_between_them():
    every = [ref(1), ref(4), ref(7), ref(9), ref(9, "b")]
    runs = neighbours([ref(9, "b"), ref(9), ref(1), ref(4)], every)
    assert runs == ((ref(1), ref(4)), (ref(9),), (ref(9, "b"),))


def test_rows_on_one_line_are_neighbours():
    assert neighbours([ref(1, key="x"), ref(1, key="y")], [ref(1, key=key) for key in "xyz"]) == (
        (ref(1, key="x"), ref(1, key="y")),
    )
