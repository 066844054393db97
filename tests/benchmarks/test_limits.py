from __future__ import annotations

import pytest

from benchmarks.limits import LEAST, STEPS, suggested
from benchmarks.scoring.shifts import trainings, unit_of
from benchmarks.truth.behaviours import BEHAVIOURS
from benchmarks.truth.table import everything
from tests.benchmarks.synthetic import training


def test_the_default_policy_has_the_limits_that_the_table_gives():
    found = {one.behaviour.name: (one.warn, one.fail) for one in suggested(trainings(everything("smollm2-135m")))}
    assert found == {one.name: (one.warn, one.limit) for one in BEHAVIOURS}


def test_limits_lie_above_the_clean_sets_and_do_not_see_those_held_out():
    known = [
        training("calm", 0.5, harmful=False),
        training("calmer", 0.1, harmful=False),
        training("wild", 9.0, harmful=False, split="held_out"),
        training("bad", 5.0),
    ]
    for one in suggested(known):
        unit = unit_of(one.behaviour)
        assert one.shown_by == "calm"
        assert one.largest <= one.warn < one.fail
        assert one.fail == pytest.approx(max(LEAST[unit][1], 1.5 * one.largest), abs=STEPS[unit])


def test_where_clean_sets_do_nothing_limits_are_the_least():
    for one in suggested([training("still", 0.0, harmful=False)]):
        assert (one.warn, one.fail) == LEAST[unit_of(one.behaviour)]
