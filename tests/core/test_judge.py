import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.interval import Estimate
from d2b_gate.core.judge import Evidence, Missing, judge, settled
from d2b_gate.core.noise import Move, Null
from d2b_gate.core.rules import Rule
from d2b_gate.core.verdict import NoShift, Shift, Status

RULE = Rule(id="r", probe="p", fail_delta=0.05, warn_delta=0.02)
QUIET = Null((0.002, -0.003, 0.001, 0.0, -0.001, 0.002))


def evidence(delta, *, rule=RULE, null=QUIET, spread=0.004, level=0.1, replicates=2):
    wobble = [spread * math.sin(i) for i in range(24)]
    before = tuple(tuple(level + 0.01 * math.cos(i) for i in range(24)) for _ in range(replicates))
    after = tuple(tuple(b + delta + w for b, w in zip(row, wobble, strict=True)) for row in before)
    return Evidence(rule, "title", "share", before, after, null)


def verdict_of(*pieces, on_inconclusive="fail"):
    return judge(pieces, confidence=0.95, seed=0, on_inconclusive=on_inconclusive)


def status_of(*args, **kwargs):
    return verdict_of(evidence(*args, **kwargs))[0].status


def test_a_clear_shift_fails_and_a_clear_calm_is_ok():
    assert status_of(0.2) is Status.FAIL
    assert status_of(0.0) is Status.OK


def test_a_shift_between_the_limits_warns():
    assert status_of(0.035) is Status.WARN


def test_a_shift_that_clean_changes_reach_as_well_never_fails():
    noisy = Null((0.15, -0.12, 0.1, -0.2, 0.18, -0.09))
    assert status_of(0.2, null=noisy) is Status.INCONCLUSIVE


def test_a_wide_interval_around_nothing_is_inconclusive():
    assert status_of(0.0, spread=0.4) is Status.INCONCLUSIVE


def test_direction_decides_what_counts():
    down = replace(RULE, direction="decrease")
    either = replace(RULE, direction="either")
    assert status_of(-0.2) is Status.OK
    assert status_of(-0.2, rule=down) is Status.FAIL
    assert status_of(0.2, rule=down) is Status.OK
    assert status_of(-0.2, rule=either) is Status.FAIL
    assert status_of(0.2, rule=either) is Status.FAIL


def test_a_ceiling_fails_whatever_the_delta():
    capped = replace(RULE, fail_delta=0.5, warn_delta=0.4, max_level=0.12)
    assert status_of(0.1, rule=capped) is Status.FAIL
    assert status_of(0.1, rule=replace(capped, max_level=0.9)) is Status.OK


def test_a_ceiling_already_passed_by_the_base_is_not_this_changes_fault():
    capped = replace(RULE, fail_delta=0.5, warn_delta=0.4, max_level=0.05)
    assert status_of(0.0, rule=capped) is Status.WARN


def test_a_level_that_may_lie_above_the_ceiling_is_not_ok():
    capped = replace(RULE, fail_delta=0.5, warn_delta=0.4, max_level=0.1)
    assert status_of(0.0, rule=capped) is Status.WARN, "the change cannot be told from a clean one"
    assert status_of(0.02, rule=replace(capped, max_level=0.12)) is Status.INCONCLUSIVE


def test_no_increase_at_all_is_a_limit_too():
    assert status_of(0.2, rule=replace(RULE, warn_delta=0.0, fail_delta=0.0)) is Status.FAIL


@pytest.mark.parametrize(("choice", "blocks"), [("pass", False), ("warn", False), ("fail", True)])
def test_what_the_policy_makes_of_inconclusive(choice, blocks):
    finding = verdict_of(evidence(0.0, spread=0.4), on_inconclusive=choice)[0]
    assert finding.status is Status.INCONCLUSIVE
    assert finding.blocks is blocks


def test_worst_comes_first_and_missing_is_an_error():
    calm = replace(RULE, id="calm")
    gone = Missing(replace(RULE, id="gone"), "title", "share", "no tokenizer")
    findings = verdict_of(evidence(0.0, rule=calm), gone, evidence(0.2))
    assert [finding.status for finding in findings] == [Status.FAIL, Status.ERROR, Status.OK]
    assert isinstance(findings[1].shift, NoShift)
    assert findings[1].shift.reason == "no tokenizer"


def test_p_values_are_adjusted_over_the_rules():
    alone = verdict_of(evidence(0.07))[0].shift
    among = verdict_of(evidence(0.07), *(evidence(0.0, rule=replace(RULE, id=f"r{i}")) for i in range(9)))
    adjusted = next(finding.shift for finding in among if finding.rule.id == "r")
    assert isinstance(alone, Shift)
    assert isinstance(adjusted, Shift)
    assert adjusted.p == alone.p
    assert adjusted.p_adjusted == pytest.approx(min(1.0, 10 * alone.p))


def test_settled_means_that_more_measuring_could_change_nothing():
    assert settled(verdict_of(evidence(0.2), evidence(0.0, rule=replace(RULE, id="calm"))))
    assert not settled(verdict_of(evidence(0.0, spread=0.4)))


SEVERITY = list(Status)


@given(st.floats(-0.5, 0.5), st.floats(0.001, 0.1), st.floats(0.01, 0.4), st.floats(0.0, 0.3))
def test_loosening_a_limit_never_makes_a_status_worse(delta, spread, limit, slack):
    strict = replace(RULE, warn_delta=limit / 2, fail_delta=limit)
    loose = replace(RULE, warn_delta=limit / 2 + slack, fail_delta=limit + slack)
    before, after = status_of(delta, rule=strict, spread=spread), status_of(delta, rule=loose, spread=spread)
    # an undecided rule may settle as a warning when its limit moves away; it never becomes a failure
    if after is Status.FAIL:
        assert before is Status.FAIL
    if before is Status.OK:
        assert after is Status.OK


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=12))
def test_the_noise_floor_covers_what_clean_changes_did_on_average(shifts):
    null = Null(tuple(shifts))
    move = Move(0.5, Estimate(0.1, 0.0, 0.2, 0.05), "nats", 12)
    assert null.floor(move, 0.95) >= abs(null.mean)
    assert null.floor(move, 0.99) >= null.floor(move, 0.95)
