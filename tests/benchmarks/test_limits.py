from __future__ import annotations

import math

import pytest

from benchmarks.limits import LEAST, STEPS, TOLD, noise_of, suggested
from benchmarks.scoring.calibrated import fit_lines, stops
from benchmarks.scoring.predictions import contenders
from benchmarks.scoring.shifts import trainings, unit_of
from benchmarks.truth.behaviours import BEHAVIOURS
from benchmarks.truth.table import everything
from d2b_gate.core.calibration import LONGEST, Extent
from d2b_gate.core.rules import MethodSpec
from tests.benchmarks.synthetic import null, predicting, steps, training


def committed():
    known = trainings(everything("smollm2-135m"))
    found = contenders("smollm2-135m", [one.name for one in known])
    return known, next(one for one in found if one.name == MethodSpec().predictor)


def test_the_default_policy_has_the_limits_that_the_table_gives():
    found = {one.behaviour.name: (one.warn, one.fail) for one in suggested(*committed())}
    assert found == {one.name: (one.warn, one.limit) for one in BEHAVIOURS}


def test_by_every_limit_most_clean_commits_pass_even_in_the_longest_training_known():
    known, contender = committed()
    lines = fit_lines(contender, known)
    clean = [one for one in contender.nulls if one.split == "tuned"]
    for behaviour in BEHAVIOURS:
        late = Extent(LONGEST * lines.scale[behaviour.name].length)
        stopped = sum(stops(one.shifts, lines, [behaviour], late) for one in clean)
        assert stopped <= math.ceil((1 - TOLD) * len(clean))


def test_limits_lie_above_the_clean_sets_and_do_not_see_those_held_out():
    known = [
        *steps("tuned", 16),
        training("calm", 0.5, harmful=False),
        training("calmer", 0.1, harmful=False),
        training("wild", 9.0, harmful=False, split="held_out"),
        training("bad", 5.0),
    ]
    nulls = [null("a", 0.01), null("wild too", 9.0, split="held_out")]
    for one in suggested(known, predicting("proxy-lora", known, 0.9, nulls)):
        unit = unit_of(one.behaviour)
        assert one.shown_by == "calm"
        assert one.largest <= one.warn < one.fail
        assert one.fail == pytest.approx(max(LEAST[unit][1], 1.5 * one.largest), abs=STEPS[unit])


def test_where_clean_sets_do_nothing_limits_are_the_least():
    known = [*steps("tuned", 16), training("still", 0.0, harmful=False)]
    for one in suggested(known, predicting("proxy-lora", known, 0.9, [null("a", 0.0)])):
        assert (one.warn, one.fail) == LEAST[unit_of(one.behaviour)]


def test_noise_is_the_far_end_of_the_interval_of_a_clean_commit():
    known = steps("tuned", 16)
    contender = predicting("proxy-lora", known, 0.9)
    line = fit_lines(contender, known).scale["sycophancy"]
    behaviour = next(one for one in BEHAVIOURS if one.name == "sycophancy")
    calm, moved = (noise_of(behaviour, line, [null("a", shift)] * 20) for shift in (0.0, 1.0))
    assert 0 < calm < 1 < moved
    assert noise_of(behaviour, line, [null("a", 0.0)] * 19 + [null("b", 1.0)]) == calm, "one in twenty may be above"
    assert noise_of(behaviour, line, ()) == 0.0
