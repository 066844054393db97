"""Stored findings judged again by other limits: the part that the dilution guard saw counts too."""

from dataclasses import replace

from d2b_gate.core.replay import replay
from d2b_gate.core.verdict import Shift, Status, View
from tests.reports.verdicts import FAILED, verdict

SMALL = replace(FAILED, status=Status.OK, blocks=False, shift=Shift(0.01, 0.0, 0.02, 0.011, 1.0, 1.0), views=())
PART = View("worst cluster", 4, 64.0, Shift(0.4, 0.35, 0.45, 0.01, 0.0, 0.0), fired=True, places=())


def replayed(finding, limit):
    rule = replace(finding.rule, fail_delta=limit, warn_delta=limit)
    (told,), _ = replay(verdict(finding), [rule], 0.95)
    return told.after


def test_a_part_past_the_limit_makes_the_rule_warn_and_one_under_it_does_not():
    hidden = replace(SMALL, views=(PART,))
    assert replayed(SMALL, 0.1) is Status.OK
    assert replayed(hidden, 0.1) is Status.WARN
    assert replayed(hidden, 0.36) is Status.OK


def test_a_part_that_cannot_be_told_from_clean_changes_makes_nothing_warn():
    part = replace(PART, shift=replace(PART.shift, noise=0.5))
    assert replayed(replace(SMALL, views=(part,)), 0.1) is Status.OK
