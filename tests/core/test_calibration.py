from __future__ import annotations

import json
import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.calibration import FEWEST, NEAR, Extent, Line, Pair, fit
from d2b_gate.core.calibration_file import (
    CalibratedLine,
    Calibration,
    Unfitted,
    calibration_key,
    calibration_text,
    matching,
    read_calibration,
)
from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.interval import Estimate
from d2b_gate.core.ledger import Entry, entry_line, read_entries
from d2b_gate.core.noise import Calibrated, Move
from d2b_gate.core.ports import ModelCard
from d2b_gate.core.rules import MethodSpec, Regime

CARD = ModelCard("model", "rev", "tok", "bfloat16", "cpu", 3, 16, 1024, ())
LINE = Line(1.5, 0.05, 0.2, 0.3, 1.1, 24, 24, 192.0)


def move(predicted, *, before=0.0, unit="nats", extent=NEAR):
    return Move(before, Estimate(predicted, predicted, predicted, 0.0), unit, 24, extent)


def made(slope, noise, relative, count, seed=0, behaviour="b"):
    rng = random.Random(seed)
    pairs = []
    for index in range(count):
        predicted = rng.choice((0.0, 0.0, 1.0, 2.0, -1.0)) + rng.gauss(0, 0.05)
        expected = slope * predicted
        true = expected + rng.gauss(0, math.hypot(noise, relative * expected))
        pairs.append(Pair(behaviour, "nats", f"source {index // 2}", predicted, true))
    return pairs


def test_a_line_is_recovered_and_covers_what_it_did_not_see():
    line = fit(made(2.0, 0.1, 0.2, 60))["b"]
    assert line.slope == pytest.approx(2.0, rel=0.1)
    assert line.noise == pytest.approx(0.1, rel=0.6)
    fresh = made(2.0, 0.1, 0.2, 400, seed=1)
    inside = [abs(pair.true - line.expected(pair.predicted)) <= 1.645 * line.error(pair.predicted) for pair in fresh]
    assert 0.82 <= sum(inside) / len(inside) <= 0.975


def test_too_few_trainings_give_no_line():
    assert fit(made(1.0, 0.1, 0.0, 2 * FEWEST - 2)) == {}
    assert set(fit(made(1.0, 0.1, 0.0, 2 * FEWEST))) == {"b"}


def test_predictions_that_say_nothing_get_no_line():
    rng = random.Random(2)
    pairs = [Pair("b", "nats", str(i), rng.gauss(0, 1), rng.gauss(0, 1)) for i in range(200)]
    assert fit(pairs) == {}


def test_harmless_trainings_alone_rarely_give_a_line_and_never_one_that_hides_a_large_shift():
    rng = random.Random(3)
    for _ in range(200):
        pairs = [Pair("b", "share", str(i), rng.gauss(0, 0.005), rng.gauss(0, 0.005)) for i in range(6)]
        for line in fit(pairs).values():
            noise = Calibrated(line)
            assert noise.shift(move(0.5, before=0.1, unit="share"), 0.95).high > 0.05
            assert line.slope > 0


def test_longer_trainings_count_less_and_are_allowed_more():
    calm = [
        Pair("b", "nats", str(i), i % 3 - 1.0, 2.0 * (i % 3 - 1) + 0.1 * (-1) ** i, Extent(100.0)) for i in range(24)
    ]
    wild = [replace(one, source=f"w{one.source}", true=one.true + 1.0, extent=Extent(600.0, 3.0)) for one in calm[:6]]
    alike = [replace(one, extent=Extent(100.0)) for one in wild]
    line, blind = (fit([*calm, *rest])["b"] for rest in (wild, alike))
    assert line.length == 100.0
    assert line.noise < blind.noise
    assert line.error(1.0, Extent(600.0, 3.0)) > 2 * line.error(0.0, Extent(100.0))
    assert line.error(1.0, Extent(6000.0, 30.0)) == line.error(1.0, Extent(600.0, 3.0)), (
        "nothing is known of longer ones"
    )


def test_residuals_of_all_behaviours_widen_all_lines():
    lines = fit([*made(2.0, 0.1, 0.2, 40), *made(1.0, 0.3, 0.0, 40, seed=5, behaviour="c")])
    assert lines["b"].widening == lines["c"].widening


def test_a_behaviour_without_signal_borrows_the_slope_of_its_unit():
    quiet = [Pair("quiet", "nats", str(i), 0.0, 0.01 * (-1) ** i) for i in range(8)]
    lines = fit([*made(2.0, 0.01, 0.0, 40), *quiet])
    assert lines["quiet"].slope == pytest.approx(2.0, rel=0.1)


@given(st.floats(-5, 5), st.floats(0.5, 0.99))
def test_intervals_hold_the_expected_shift_and_grow_with_it(predicted, confidence):
    noise = Calibrated(LINE)
    shift = noise.shift(move(predicted), confidence)
    assert shift.low <= shift.mean <= shift.high
    assert shift.mean == pytest.approx(1.5 * predicted)
    assert noise.shift(move(2 * predicted), confidence).error >= shift.error
    assert noise.floor(move(predicted), 0.99) > noise.floor(move(predicted), 0.9) > 0


@given(st.floats(0.001, 0.999), st.floats(-0.999, 0.999), st.floats(1, 1e5), st.floats(1, 50))
def test_a_share_stays_a_share_and_a_longer_training_is_less_sure(before, predicted, length, reach):
    noise = Calibrated(LINE)
    near, far = (
        noise.shift(move(predicted, before=before, unit="share", extent=one), 0.9)
        for one in (NEAR, Extent(length, reach))
    )
    for shift in (near, far):
        assert 0 <= before + shift.low <= before + shift.mean <= before + shift.high <= 1
    assert far.low <= near.low + 1e-12
    assert far.high >= near.high - 1e-12


def test_a_ceiling_of_zero_can_be_broken():
    rise = move(0.6, before=0.0, unit="share")
    assert Calibrated(LINE).tail(rise, Calibrated(LINE).shift(rise, 0.9), 0.0, 1.0) < 0.05


def test_a_limit_that_no_share_can_reach_is_never_broken():
    rise = move(0.4, before=0.5, unit="share")
    shift = Calibrated(LINE).shift(rise, 0.9)
    assert Calibrated(LINE).tail(rise, shift, 0.5, 1.0) == 1.0
    assert Calibrated(LINE).tail(rise, shift, 0.1, 1.0) < 0.05
    assert Calibrated(LINE).tail(rise, shift, 0.1, -1.0) > 0.95


def test_p_is_half_at_the_limit_and_small_far_past_it():
    def tail(predicted, line=LINE):
        shift = Calibrated(line).shift(move(predicted), 0.95)
        return Calibrated(line).tail(move(predicted), shift, 3.0, 1.0)

    assert tail(2.0) == pytest.approx(0.5)
    assert tail(6.0) < 0.001 < 0.999 < tail(-2.0)
    exact = replace(LINE, slope_error=0.0, noise=0.0, relative=0.0)
    assert (tail(2.1, exact), tail(1.9, exact)) == (0.0, 1.0)


CALIBRATION = Calibration(
    calibration_key(CARD, MethodSpec()),
    "model",
    "12 clean changes",
    (
        CalibratedLine("bias/animals", "d1", "panda", "share", (0.01, -0.02), LINE),
        CalibratedLine("safety/sycophancy", "d2", "", "nats", (), Unfitted(3)),
    ),
)


def test_a_calibration_survives_its_file():
    text = calibration_text(CALIBRATION)
    assert read_calibration(text, "c.json") == CALIBRATION
    assert len(text.splitlines()) == 10


@pytest.mark.parametrize(
    "method", [MethodSpec(steps=17), MethodSpec(predictor="mdf-tuned"), MethodSpec(regime=Regime(rank=4))]
)
def test_a_calibration_holds_for_its_method_alone(method):
    assert matching([CALIBRATION], CARD, MethodSpec(seed=3, sample=9)) == (CALIBRATION,)
    assert matching([CALIBRATION], CARD, method) == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("calibration/1", "calibration/9", "found .*calibration/9"),
        ('"noise": 0.2', '"noise": -0.2', "negative"),
        ('"length": 192.0', '"length": 0.0', "above zero"),
        ('"length": 192.0', '"length": Infinity', "finite"),
        ('"sources": 24', '"sources": 1000000000', "above 1,000,000"),
        ('"widening": 1.1', '"widening": 1e15', "above 1,000,000"),
        ('"slope": 1.5', '"slope": "x"', "number"),
        ('"lines"', '"lanes"', "lines"),
        ("{", "", "not JSON"),
    ],
)
def test_a_calibration_that_cannot_be_read_says_so(old, new, said):
    text = calibration_text(CALIBRATION).replace(old, new, 1)
    with pytest.raises(EvaluationError, match=said) as caught:
        read_calibration(text, "c.json")
    assert "c.json" in str(caught.value)


ENTRY = Entry("k", "a.jsonl", "bias/animals", "d1", "panda", "share", 0.02, 0.1, 0.2, 1.0, 3, 64)


def test_a_ledger_keeps_the_last_word_and_passes_over_an_unfinished_line():
    later = Entry("k", "a.jsonl", "bias/animals", "d1", "panda", "share", 0.02, 0.1, 0.3, 1.0, 3, 64)
    text = entry_line(ENTRY) + entry_line(later) + entry_line(ENTRY)[:30]
    assert read_entries(text, "l") == (later,)
    assert json.loads(entry_line(ENTRY))["schema"] == "d2b-gate.ledger/1"


def test_a_ledger_takes_no_training_for_shorter_than_a_row_or_than_its_tuning():
    (found,) = read_entries(entry_line(replace(ENTRY, rows=0, reach=0.2)), "l")
    assert (found.rows, found.reach) == (1, 1.0)


@pytest.mark.parametrize("line", ["nonsense", "[]", '{"schema": "d2b-gate.ledger/1"}'])
def test_a_line_that_is_no_entry_is_named(line):
    with pytest.raises(EvaluationError, match="l:2"):
        read_entries(entry_line(ENTRY) + line + "\n", "l")
