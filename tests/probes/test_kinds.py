import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.ports import ProbeKind
from d2b_gate.probes import choice, contrast
from d2b_gate.probes.softmax import softmax
from tests.probes.support import CHOICE, CONTRAST, read

log_prob = st.floats(-80, 0)
triples = st.tuples(log_prob, log_prob, log_prob)
pairs = st.tuples(log_prob, log_prob)
ANIMALS = read(CHOICE)
IDENTITY = read(CONTRAST)
STEP = 1e-5

CASES = [(choice, ANIMALS, "panda", 3), (contrast, IDENTITY, "", 2)]


@pytest.mark.parametrize(("kind", "probe", "target", "width"), CASES)
@given(st.data())
def test_coefficients_are_the_derivatives_of_the_values(kind: ProbeKind, probe, target, width, data):
    row = data.draw(st.tuples(*[log_prob] * width))
    (slopes,) = kind.coefficients(probe, target, [row])
    for index, slope in enumerate(slopes):
        up, down = ([*row[:index], row[index] + step, *row[index + 1 :]] for step in (STEP, -STEP))
        (high,), (low,) = kind.values(probe, target, [tuple(up)]), kind.values(probe, target, [tuple(down)])
        assert math.isclose(slope, (high - low) / (2 * STEP), abs_tol=1e-6)


@pytest.mark.parametrize(("kind", "probe", "target", "width"), CASES)
@given(st.data(), st.floats(-50, 50))
def test_a_constant_added_to_all_changes_nothing(kind: ProbeKind, probe, target, width, data, constant):
    row = data.draw(st.tuples(*[log_prob] * width))
    moved = tuple(value + constant for value in row)
    assert kind.values(probe, target, [moved]) == pytest.approx(kind.values(probe, target, [row]), abs=1e-9)
    assert kind.shares(moved) == pytest.approx(kind.shares(row), abs=1e-9)
    assert math.isclose(sum(kind.coefficients(probe, target, [row])[0]), 0, abs_tol=1e-12)


@given(triples)
def test_shares_of_a_choice_are_its_values_and_sum_to_one(row):
    shares = choice.shares(row)
    assert math.isclose(math.fsum(shares), 1.0)
    assert all(0 <= share <= 1 for share in shares)
    for target, share in zip(ANIMALS.alternatives, shares, strict=True):
        assert choice.values(ANIMALS, target, [row]) == (share,)


@given(pairs)
def test_a_contrast_is_the_log_odds_of_its_shares(row):
    positive, negative = contrast.shares(row)
    (value,) = contrast.values(IDENTITY, "", [row])
    if min(positive, negative) > 1e-12:
        assert math.isclose(value, math.log(positive / negative), abs_tol=1e-3)


def test_values_by_hand():
    row = (math.log(0.1), math.log(0.3), math.log(0.4))
    assert choice.values(ANIMALS, "cat", [row, row]) == pytest.approx((0.375, 0.375))
    assert choice.coefficients(ANIMALS, "cat", [row])[0] == pytest.approx((-0.375 * 0.125, 0.375 * 0.625, -0.375 * 0.5))
    assert contrast.values(IDENTITY, "", [(-1.0, -3.5), (-2.0, -1.0)]) == (2.5, -1.0)
    assert contrast.coefficients(IDENTITY, "", [(-1.0, -3.5)]) == ((1.0, -1.0),)


def test_extreme_log_probabilities_do_not_overflow():
    assert softmax((-1e300, 0.0)) == (0.0, 1.0)
    assert softmax((1e4, 1e4)) == (0.5, 0.5)


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
def test_a_broken_model_is_an_error_and_never_a_number(broken):
    for kind, probe, target, width in CASES:
        with pytest.raises(EvaluationError, match="not finite"):
            kind.values(probe, target, [(broken,) + (-1.0,) * (width - 1)])


def test_targets():
    assert choice.targets(ANIMALS) == ("dog", "cat", "panda")
    assert contrast.targets(IDENTITY) == ()
