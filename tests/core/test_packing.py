"""Features at rest: how far they are rounded, and that this changes nothing that is made of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from d2b_gate.core.clusters import clusters, features_of
from d2b_gate.core.contribution import contributions
from d2b_gate.core.packing import ABSOLUTE_ERROR, FLOOR, RELATIVE_ERROR, is_packed, packed, unpacked

SHAPES = hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=6)
FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)
ANY = st.floats(width=32)


def rounded(values_nld):
    return unpacked(packed(values_nld), *values_nld.shape[1:])


@given(hnp.arrays(np.float32, SHAPES, elements=FINITE))
def test_the_error_is_relative_to_the_value_or_to_the_largest_of_its_site(values_nld):
    found_nld = rounded(values_nld)
    largest_nl = np.abs(values_nld).max(axis=2, keepdims=True).astype(float)
    allowed_nld = np.maximum(
        RELATIVE_ERROR * np.abs(values_nld.astype(float)), np.where(largest_nl > 0, ABSOLUTE_ERROR * largest_nl, 0)
    )
    assert (np.abs(found_nld.astype(float) - values_nld) <= allowed_nld).all()


@given(hnp.arrays(np.float32, SHAPES, elements=ANY))
def test_rounding_twice_is_rounding_once_bit_for_bit(values_nld):
    once_nld = rounded(values_nld)
    assert packed(once_nld) == packed(values_nld)
    assert rounded(once_nld).tobytes() == once_nld.tobytes()


@given(hnp.arrays(np.float32, SHAPES, elements=ANY))
def test_rows_do_not_depend_on_their_company(values_nld):
    alone = [packed(values_nld[i : i + 1])[0] for i in range(len(values_nld))]
    assert tuple(alone) == packed(values_nld)
    assert all(is_packed(one, *values_nld.shape[1:]) for one in alone)
    assert not any(is_packed(one + b"\0", *values_nld.shape[1:]) for one in alone)


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan, 3e38, 1e-40])
def test_a_row_that_cannot_be_scaled_is_kept_bit_for_bit(odd):
    values_nld = np.random.default_rng(0).normal(size=(3, 2, 5)).astype(np.float32)
    values_nld[1, 0] *= np.float32(1e-30)
    values_nld[1, 0, 2] = odd
    if abs(odd) < 1:
        values_nld[1, 0] = odd
    found_nld = rounded(values_nld)
    assert found_nld[1].tobytes() == values_nld[1].tobytes()
    assert len(packed(values_nld)[0]) == 2 * (5 + 1) * 2
    assert (found_nld[0] != values_nld[0]).any()


def test_half_the_bytes_for_massive_and_for_tiny_values_alike():
    for size in (25_000.0, 1e-7, 1e30, 1e-30):
        values_nld = (np.random.default_rng(1).normal(size=(4, 3, 64)) * size).astype(np.float32)
        values_nld[:, :, 5] = 500 * size
        assert {len(one) for one in packed(values_nld)} == {3 * 65 * 2}
        assert (np.abs(rounded(values_nld) / values_nld - 1) <= RELATIVE_ERROR).all()


def test_beside_a_massive_value_others_keep_eleven_bits_down_to_the_floor():
    values_nld = np.array([[[1.0, 1 / 3 * FLOOR * 2, FLOOR / 3]]], dtype=np.float32)
    errors = np.abs(rounded(values_nld) - values_nld)[0, 0]
    assert errors[0] == 0
    assert errors[1] <= RELATIVE_ERROR * values_nld[0, 0, 1]
    assert 0 < errors[2] <= ABSOLUTE_ERROR


def test_no_rows_and_bytes_of_another_size():
    assert packed(np.zeros((0, 2, 3), np.float32)) == ()
    assert unpacked((), 2, 3).shape == (0, 2, 3)
    with pytest.raises(ValueError, match="size"):
        unpacked([b"12"], 2, 3)


def states(seed, *, offset=0.0, massive=25_000.0):
    """Rows of three kinds, three sites; coordinate 7 is massive in all of them."""
    random = np.random.default_rng(seed)
    kinds_kld = random.normal(size=(3, 3, 96))
    values_nld = kinds_kld[np.arange(60) % 3] + random.normal(size=(60, 3, 96))
    values_nld[:, :, 7] += massive
    return (values_nld + offset).astype(np.float32)


@pytest.mark.parametrize("seed", range(5))
def test_rows_stay_where_they_are_among_others_and_groups_stay_as_they_are(seed):
    values_nld = states(seed)
    exact_nd, found_nd = features_of(values_nld[:, 2]), features_of(rounded(values_nld)[:, 2])
    # of coordinate 7, which differs by 1 in 25 000, only noise is left: one of 96 that count alike
    assert np.abs(np.delete(found_nd - exact_nd, 7, axis=1)).max() < 0.01
    assert ((exact_nd * found_nd).sum(axis=1) > 0.9).all()
    assert clusters(exact_nd, 3) == clusters(found_nd, 3)


@pytest.mark.parametrize("seed", range(5))
def test_a_coordinate_is_moved_by_its_mean_over_its_spread(seed):
    """Standardising divides by the spread; what rounding does to a coordinate grows with mean / spread, and no more."""
    values_nld = states(seed, offset=60.0, massive=0.0)
    exact_nd, found_nd = features_of(values_nld[:, 2]), features_of(rounded(values_nld)[:, 2])
    block_nd = values_nld[:, 2].astype(float)
    ratio_d = np.abs(block_nd).max(axis=0) / block_nd.std(axis=0)
    length_n = np.sqrt((((block_nd - block_nd.mean(axis=0)) / block_nd.std(axis=0)) ** 2).sum(axis=1))
    assert (np.abs(found_nd - exact_nd) * length_n[:, None] <= 1.5 * RELATIVE_ERROR * ratio_d).all()
    assert clusters(exact_nd, 3) == clusters(found_nd, 3)


def test_equal_rows_stay_equal():
    values_nld = states(0)
    values_nld[10] = values_nld[20]
    found_nld = rounded(values_nld)
    assert (found_nld[10] == found_nld[20]).all()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", ["plain", "tiny", "massive coordinate", "heavy tails"])
def test_rows_stay_ranked_by_what_they_add_to_a_shift(seed, kind):
    random = np.random.default_rng(seed)
    gradients_nld = random.normal(size=(64, 6, 48))
    if kind == "tiny":
        gradients_nld *= 1e-7
    if kind == "massive coordinate":
        gradients_nld[:, :, 3] *= 1e5
    if kind == "heavy tails":
        gradients_nld = gradients_nld**7
    gradients_nld = gradients_nld.astype(np.float32)
    slope_ld = random.normal(size=(6, 48))
    exact = np.array(contributions(gradients_nld, slope_ld))
    found = np.array(contributions(rounded(gradients_nld), slope_ld))
    tolerance = 2e-3 * exact.std()
    assert np.abs(found - exact).max() <= tolerance
    order = np.argsort(exact)
    apart = np.diff(exact[order]) > 2 * tolerance
    assert (np.diff(found[order])[apart] > 0).all()


def test_two_rows_that_differ_in_one_coordinate_keep_their_order_where_that_exceeds_the_rounding():
    values_nld = np.random.default_rng(3).normal(size=(8, 3, 16)).astype(np.float32)
    values_nld[1:] = values_nld[0]
    values_nld[:, 2, 4] = 100 * (1 + np.arange(8) * 2 * RELATIVE_ERROR)
    slope_ld = np.zeros((3, 16))
    slope_ld[2, 4] = -1.0
    assert (np.diff(contributions(rounded(values_nld), slope_ld)) > 0).all()
