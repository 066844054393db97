import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.student import quantile, upper_tail


@pytest.mark.parametrize(
    ("p", "dof", "expected"),
    [  # printed tables of Student's t
        (0.95, 1, 6.314),
        (0.975, 2, 4.303),
        (0.975, 5, 2.571),
        (0.99, 7, 2.998),
        (0.995, 10, 3.169),
        (0.975, 30, 2.042),
        (0.975, 120, 1.980),
    ],
)
def test_quantile_matches_the_printed_tables(p, dof, expected):
    assert quantile(p, dof) == pytest.approx(expected, abs=6e-4)


def test_one_degree_of_freedom_is_the_cauchy_distribution():
    for t in (-20.0, -1.0, 0.0, 0.3, 7.0):
        assert upper_tail(t, 1) == pytest.approx(0.5 - math.atan(t) / math.pi, rel=1e-9)


def test_infinite_t():
    assert upper_tail(math.inf, 4) == 0.0
    assert upper_tail(-math.inf, 4) == 1.0


@given(st.floats(-50, 50), st.integers(1, 200))
def test_tails_are_symmetric_and_falling(t, dof):
    assert upper_tail(t, dof) + upper_tail(-t, dof) == pytest.approx(1.0)
    assert upper_tail(t + 0.5, dof) <= upper_tail(t, dof)


@given(st.floats(0.001, 0.999), st.integers(1, 100))
def test_quantile_inverts_the_tail(p, dof):
    assert upper_tail(quantile(p, dof), dof) == pytest.approx(1 - p, abs=1e-9)
