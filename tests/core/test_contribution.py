"""Contributions of rows: order does not matter, early blocks do not count, and no coordinate decides alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.contribution import contributions, late

BLOCKS, WIDTH = 6, 4


def drawn(seed, rows=12):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((rows, BLOCKS, WIDTH)).astype(np.float32), rng.standard_normal((BLOCKS, WIDTH))


def test_a_row_that_pushes_down_the_slope_carries_the_shift():
    gradients_nld, slope_ld = drawn(0)
    gradients_nld[3] = -5 * slope_ld
    gradients_nld[7] = 5 * slope_ld
    parts = contributions(gradients_nld, slope_ld)
    assert max(range(12), key=parts.__getitem__) == 3
    assert min(range(12), key=parts.__getitem__) == 7


@given(st.integers(0, 1000), st.permutations(range(12)))
def test_parts_belong_to_rows_whatever_their_order(seed, order):
    gradients_nld, slope_ld = drawn(seed)
    parts = contributions(gradients_nld, slope_ld)
    assert contributions(gradients_nld[order], slope_ld) == pytest.approx([parts[i] for i in order])


@given(st.integers(0, 1000))
def test_the_other_direction_turns_every_part(seed):
    gradients_nld, slope_ld = drawn(seed)
    parts = contributions(gradients_nld, slope_ld)
    assert contributions(gradients_nld, -slope_ld) == pytest.approx([-part for part in parts])
    assert contributions(-gradients_nld, slope_ld) == pytest.approx([-part for part in parts])


@given(st.integers(0, 1000), st.floats(0.01, 100))
def test_the_unit_of_the_loss_does_not_matter(seed, unit):
    gradients_nld, slope_ld = drawn(seed)
    scaled = contributions((gradients_nld * np.float32(unit)), slope_ld)
    assert scaled == pytest.approx(contributions(gradients_nld, slope_ld), rel=1e-4, abs=1e-5)


def test_early_blocks_do_not_count():
    gradients_nld, slope_ld = drawn(1)
    other = gradients_nld.copy()
    other[:, : late(BLOCKS)] = 0
    assert contributions(other, slope_ld) == contributions(gradients_nld, slope_ld)
    assert [late(blocks) for blocks in (1, 2, 3, 30)] == [0, 1, 2, 20]


def test_one_huge_coordinate_counts_no_more_than_its_slope():
    gradients_nld, slope_ld = drawn(2)
    gradients_nld[0, -1, 0] = 1e6
    plain = gradients_nld.copy()
    plain[0, -1, 0] = 0
    moved = contributions(gradients_nld, slope_ld)[0] - contributions(plain, slope_ld)[0]
    assert abs(moved) <= abs(slope_ld[-1, 0]) + 1e-6


def test_no_rows_and_rows_without_a_gradient():
    gradients_nld, slope_ld = drawn(3)
    assert contributions(gradients_nld[:0], slope_ld) == ()
    assert contributions(gradients_nld * 0, slope_ld) == (0.0,) * 12
