import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.rules import Rule
from d2b_gate.reports.layout import columns, flowed, padded
from d2b_gate.reports.numbers import counted, grouped, percent, probability, scale_of, signed_limit


def test_a_share_is_shown_in_percent_and_points():
    scale = scale_of("share")
    assert (scale.level(0.0614), scale.level_unit) == ("6.1", "%")
    assert (scale.delta(0.187), scale.delta_unit) == ("+18.7", "pt")
    assert scale.delta(-0.0004) == "+0.0"


def test_log_odds_are_shown_in_nats():
    scale = scale_of("nats")
    assert (scale.level(-2.314), scale.delta(-0.5), scale.delta_unit) == ("-2.31", "-0.50", "nats")


@pytest.mark.parametrize(("limit", "shown"), [(0.05, "5.0"), (0.0025, "0.25"), (0.00125, "0.125"), (0.1, "10.0")])
def test_a_limit_is_shown_as_it_was_typed(limit, shown):
    assert scale_of("share").limit(limit) == shown


@pytest.mark.parametrize(("direction", "sign"), [("increase", "+"), ("decrease", "-"), ("either", "+/-")])
@pytest.mark.parametrize("value", [0.05, -0.05])
def test_a_limit_carries_the_direction_of_its_rule(direction, sign, value):
    rule = Rule(id="x", probe="p", fail_delta=value, warn_delta=0.01, direction=direction)
    assert signed_limit(rule, value, "share") == f"{sign}5.0 pt"


@pytest.mark.parametrize(
    ("p", "shown"), [(0.0004, "0.0004"), (0.0499, "0.0499"), (0.00005, "< 0.0001"), (0.0, "< 0.0001"), (1.0, "1")]
)
def test_p_is_never_zero(p, shown):
    assert probability(p) == shown


def test_counts_are_grouped_by_spaces():
    assert (grouped(2350), counted(1, "row"), counted(1_000_000, "row")) == ("2 350", "1 row", "1 000 000 rows")
    assert percent(-0.001) == "0 %"


def test_wide_characters_take_two_columns():
    assert (columns("パンダ"), columns("e\u0301"), padded("字", 4)) == (6, 1, "字  ")


@given(st.lists(st.text("ab", min_size=1, max_size=10), max_size=8), st.integers(1, 60))
def test_flowing_keeps_every_part_and_the_width(parts, width):
    lines = flowed(parts, width, "  ")
    assert " ".join(lines).split() == parts
    assert all(len(line) <= width or len(line.split()) == 1 for line in lines)
