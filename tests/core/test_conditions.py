"""What is said of a verdict is what decided it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.conditions import Asked, Condition, Way
from d2b_gate.core.judge import direction_of, status_of, ways
from d2b_gate.core.reading import Measured
from d2b_gate.core.rules import Rule
from d2b_gate.core.verdict import Shift, Status

from .test_judge import RULE, evidence, verdict_of

# few values, so that numbers meet their bounds often
numbers = st.sampled_from([-0.2, -0.05, -0.02, 0.0, 0.01, 0.02, 0.05, 0.2, 1.0]) | st.floats(-1, 1)
rules = st.builds(
    Rule,
    id=st.just("r"),
    probe=st.just("p"),
    fail_delta=numbers,
    warn_delta=numbers,
    direction=st.sampled_from(["increase", "decrease", "either"]),
    max_level=numbers | st.just(math.inf),
)
shifts = st.builds(Shift, numbers, numbers, numbers, numbers, numbers, numbers)


def decided(rule, shift, low, high):
    """The rule of the judge written out as one may read it in the product's description."""
    way = {"increase": 1.0, "decrease": -1.0}.get(rule.direction, math.copysign(1.0, shift.delta))
    near = min(way * shift.low, way * shift.high)
    far = max(abs(shift.low), abs(shift.high)) if rule.direction == "either" else max(way * shift.low, way * shift.high)
    beyond_noise = abs(shift.delta) > shift.noise
    significant = shift.p_adjusted < 0.05
    if beyond_noise and significant and (near > rule.fail_delta or low > rule.max_level):
        return Status.FAIL
    if beyond_noise and way * shift.delta > rule.warn_delta:
        return Status.WARN
    if far >= rule.fail_delta:
        return Status.INCONCLUSIVE
    if high < rule.max_level:
        return Status.OK
    return Status.INCONCLUSIVE if beyond_noise else Status.WARN


@given(rules, shifts, numbers, numbers)
def test_the_conditions_imply_the_status(rule, shift, low, high):
    tried = ways(rule, shift, low, high)
    taken = next(index for index, way in enumerate(tried) if all(one.holds for one in way.conditions))
    assert (tried[taken].status, tried[taken].reason) == status_of(rule, shift, low, high)
    assert tried[taken].status is decided(rule, shift, low, high)
    assert all(not all(one.holds for one in way.conditions) for way in tried[:taken])
    assert tried[-1].conditions == (), "something is always concluded"


@given(rules, shifts, numbers, numbers)
def test_every_condition_holds_the_numbers_of_the_finding(rule, shift, low, high):
    way = direction_of(rule, shift.delta)
    known = {
        Asked.NEAR_END: ({way * shift.low, way * shift.high}, rule.fail_delta),
        Asked.POINT: ({way * shift.delta}, rule.warn_delta),
        Asked.FAR_END: ({way * shift.low, way * shift.high, abs(shift.low), abs(shift.high)}, rule.fail_delta),
        Asked.SIZE: ({abs(shift.delta)}, shift.noise),
        Asked.P: ({shift.p_adjusted}, 0.05),
        Asked.LEVEL_LOW: ({low}, rule.max_level),
        Asked.LEVEL_HIGH: ({high}, rule.max_level),
    }
    for condition in (one for tried in ways(rule, shift, low, high) for one in tried.conditions):
        values, bound = known[condition.asked]
        assert condition.value in values
        assert condition.bound == bound


@pytest.mark.parametrize("delta", [0.2, 0.035, 0.0, -0.2])
def test_a_judged_finding_holds_all_that_its_conditions_need(delta):
    (finding,) = verdict_of(evidence(delta, rule=RULE))
    assert isinstance(finding.after, Measured)
    again = status_of(finding.rule, finding.shift, finding.after.low, finding.after.high)
    assert again == (finding.status, finding.reason)


def test_a_way_is_open_where_all_of_its_conditions_hold():
    true, false = Condition(Asked.SIZE, 2, ">", 1), Condition(Asked.SIZE, 1, ">", 1)
    at_least, under = Condition(Asked.FAR_END, 1, ">=", 1), Condition(Asked.P, 0.05, "<", 0.05)
    assert [one.holds for one in (true, false, at_least, under)] == [True, False, True, False]
    assert Way(Status.OK, "", (true, at_least)).open
    assert not Way(Status.OK, "", (true, under)).open
