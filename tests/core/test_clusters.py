"""Clusters: every row in exactly one, planted groups found whole, and nothing hangs on order, place or unit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from d2b_gate.core.clusters import DEPTH, clusters, features_of

SEEDS = st.integers(0, 1000)
FEATURES = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(-3, 3).map(float))


def drawn(seed, rows=14, width=3):
    return np.random.default_rng(seed).standard_normal((rows, width))


def as_sets(found):
    return {frozenset(rows) for rows in found}


@given(FEATURES, st.integers(1, 12))
def test_every_row_stands_in_exactly_one_of_at_most_so_many(features_nd, most):
    found = clusters(features_nd, most)
    assert sorted(row for rows in found for row in rows) == list(range(len(features_nd)))
    assert len(found) == min(most, len({tuple(row) for row in features_nd.tolist()}))
    assert all(list(rows) == sorted(rows) for rows in found)
    assert list(found) == sorted(found, key=lambda rows: (-len(rows), rows[0]))


@given(FEATURES, st.integers(1, 12))
def test_equal_rows_are_never_parted(features_nd, most):
    group = {row: i for i, rows in enumerate(clusters(features_nd, most)) for row in rows}
    by_value = {}
    for row, value in enumerate(map(tuple, features_nd.tolist())):
        by_value.setdefault(value, set()).add(group[row])
    assert all(len(groups) == 1 for groups in by_value.values())


@given(FEATURES, st.integers(1, 12), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(features_nd, most, rng):
    order = list(range(len(features_nd)))
    rng.shuffle(order)
    shuffled = {frozenset(order[row] for row in rows) for rows in clusters(features_nd[order], most)}
    assert shuffled == as_sets(clusters(features_nd, most))


@given(SEEDS, st.floats(0.01, 100), st.floats(-10, 10))
def test_neither_the_unit_nor_the_origin_matters(seed, unit, origin):
    features_nd = drawn(seed)
    assert as_sets(clusters(features_nd * unit + origin, 4)) == as_sets(clusters(features_nd, 4))


@given(SEEDS, st.lists(st.integers(1, 9), min_size=2, max_size=5))
def test_groups_that_stand_well_apart_are_found_however_small(seed, sizes):
    owner = np.repeat(np.arange(len(sizes)), sizes)
    centres = 1000.0 * np.eye(len(sizes), 6)
    found = clusters(centres[owner] + drawn(seed, len(owner), 6), len(sizes))
    assert as_sets(found) == {frozenset(np.flatnonzero(owner == one).tolist()) for one in range(len(sizes))}


@given(SEEDS, st.integers(2, 8))
def test_fewer_clusters_are_unions_of_more(seed, most):
    finer = as_sets(clusters(drawn(seed), most))
    coarser = clusters(drawn(seed), most - 1)
    assert all(any(fine <= set(rows) for rows in coarser) for fine in finer)


def test_the_union_that_adds_least_is_made_first_and_large_groups_weigh_more():
    assert clusters(np.array([[0.0], [1.0], [3.0]]), 2) == ((0, 1), (2,))
    # 0 stands three times: joining it with 1 adds 3/4, joining 1 with 2.1 adds 1.21 / 2
    assert clusters(np.array([[0.0], [0.0], [0.0], [1.0], [2.1]]), 2) == ((0, 1, 2), (3, 4))


def test_no_rows_one_row_and_no_cluster_allowed():
    assert clusters(np.zeros((0, 3)), 4) == ()
    assert clusters(np.zeros((1, 3)), 4) == ((0,),)
    assert clusters(np.zeros((5, 3), dtype=np.float32), 2) == ((0, 1, 2, 3, 4),)
    with pytest.raises(ValueError, match="at least one group"):
        clusters(np.zeros((2, 3)), 0)


def test_features_are_unit_lengths_around_the_mean_of_one_late_block():
    states_nld = np.random.default_rng(0).standard_normal((7, 6, 3)).astype(np.float32)
    features_nd = features_of(states_nld[:, int(DEPTH * states_nld.shape[1])])
    assert features_nd.shape == (7, 3)
    assert np.linalg.norm(features_nd, axis=1) == pytest.approx(np.ones(7))
    other = states_nld.copy()
    other[:, [block for block in range(6) if block != int(DEPTH * 6)]] = 0
    assert np.array_equal(features_of(other[:, int(DEPTH * other.shape[1])]), features_nd)
    assert features_of(states_nld[:, int(DEPTH * states_nld.shape[1])] * 3 + 2) == pytest.approx(features_nd, abs=1e-4)


def test_features_of_equal_rows_and_of_no_rows():
    assert not features_of(np.ones((4, 2), dtype=np.float32)).any()
    assert features_of(np.zeros((0, 2), dtype=np.float32)).shape[0] == 0
