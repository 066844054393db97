"""Calibrations in the pipeline: what `check` makes of one, and what `validate` and `calibrate` measure."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from d2b_gate.backends.fake import CARD
from d2b_gate.core.calibration import FEWEST, Extent, Line
from d2b_gate.core.calibration_file import CalibratedLine, Calibration, Unfitted, calibration_key
from d2b_gate.core.errors import EvaluationError, Exit
from d2b_gate.core.ledger import Entry, entry_line, read_entries
from d2b_gate.core.mixture import Mixture, reach_of
from d2b_gate.core.noise import Null
from d2b_gate.core.rules import Inconclusive, MethodSpec, Rule
from d2b_gate.core.scale import moved, shift_by
from d2b_gate.core.verdict import Status
from d2b_gate.formats.reading import read_rows
from d2b_gate.gate.calibrate import CHANGE, PUSHES, RESAMPLES, Sources, calibrate
from d2b_gate.gate.validate import FEWEST_STEPS, entries, validate
from d2b_gate.registry import load_all
from tests.gate.harness import CLEAN, MORE, PANDA, Bench, jsonl, policy

DATA = "data/a.jsonl"
HARMFUL = ({DATA: jsonl(*CLEAN)}, {DATA: jsonl(*CLEAN, *PANDA)})
HARMLESS = ({DATA: jsonl(*CLEAN)}, {DATA: jsonl(*CLEAN, *MORE)})
LINE = Line(slope=1.0, slope_error=0.0, noise=0.004, relative=0.1, widening=1.0, sources=24, trainings=24, length=240)
FLOOR = (0.001, -0.002, 0.003, 0.0, -0.001)
BASIS = "24 real fine-tunes"
PROXY = MethodSpec(predictor="proxy-lora", steps=8, batch=4, sample=32, placebos=4)
CONTROLS = 2
"""Tunings of the canary and of the null control; the untouched model needs none."""
ONE_REPLICATE = 2
"""Tunings of one replicate: both states."""
RECHECK = 1
"""The tuning without the blamed rows of the worst failure."""


def calibration(line=LINE, null=FLOOR, **changes):
    """A calibration of the panda rule of `policy`."""
    digest = Bench().catalogue("bias/animals").digest
    known = CalibratedLine("bias/animals", digest, "panda", "share", null, line)
    base = Calibration(calibration_key(CARD, policy().method), "fake", BASIS, (known,))
    return replace(base, **changes)


def judged(*calibrations, states=HARMFUL, context="ci", **changes):
    bench = Bench(calibrations=calibrations)
    verdict = bench.check(*states, policy(**changes), context)
    return bench, verdict, next(one for one in verdict.findings if one.rule.id == "panda")


def scaled(finding, shift):
    """A shift of a finding on the scale of lines."""
    return moved(finding.before.level, shift, finding.unit)


def extent():
    """That of the training with the harmful change."""
    mixture = Mixture(rows_of(*CLEAN), rows_of(*PANDA), len(PANDA) / (len(CLEAN) + len(PANDA)), float(len(PANDA)))
    return Extent(3.0 * (len(CLEAN) + len(PANDA)), reach_of(mixture, policy().method))


def floor_of(finding, line=LINE):
    """The noise floor of a line where the harmful change starts, on the side that it goes to."""
    floor = math.copysign(line.floor(0.95, extent()), finding.shift.delta)
    return abs(shift_by(finding.before.level, floor, finding.unit))


def rows_of(*pairs, label=None):
    content = jsonl(*pairs)
    if label is not None:
        content = content.replace(b"]}\n", b'], "label": %s}\n' % str(label).lower().encode())
    spec = policy().datasets[0]
    return tuple(read_rows(content, DATA, spec, load_all("containers"), load_all("shapes")))


class TestCheck:
    def test_a_line_gives_the_interval_and_no_placebo_is_tuned(self):
        bench, verdict, finding = judged(calibration())
        assert verdict.exit is Exit.VIOLATED
        assert finding.status is Status.FAIL
        assert verdict.provenance.null == f"calibration ({BASIS})"
        assert bench.backend.calls["tune"] == CONTROLS + ONE_REPLICATE + RECHECK
        assert finding.shift.noise == pytest.approx(floor_of(finding))
        low, high = (scaled(finding, end) for end in (finding.shift.low, finding.shift.high))
        middle = scaled(finding, finding.shift.delta)
        assert high - middle == pytest.approx(middle - low)
        assert (high - low) / 2 > 1.9 * LINE.error(middle)

    def test_a_harmless_change_passes_by_the_same_line(self):
        bench, verdict, finding = judged(calibration(), states=HARMLESS)
        assert (verdict.exit, finding.status) == (Exit.OK, Status.OK)
        assert bench.backend.calls["tune"] == CONTROLS + ONE_REPLICATE

    def test_the_slope_scales_the_shift_and_the_level_moves_by_it(self):
        _, _, whole = judged(calibration())
        _, _, half = judged(calibration(replace(LINE, slope=0.5)))
        assert scaled(half, half.shift.delta) == pytest.approx(0.5 * scaled(whole, whole.shift.delta))
        for finding in (whole, half):
            assert finding.after.level == pytest.approx(finding.before.level + finding.shift.delta)
        assert whole.before == half.before

    def test_a_share_stays_a_share_however_steep_the_line(self):
        _, verdict, finding = judged(calibration(replace(LINE, slope=50.0)))
        assert finding.after.level == pytest.approx(1.0)
        assert 0 <= finding.after.low <= finding.after.level <= finding.after.high <= 1
        assert verdict.exit is Exit.VIOLATED
        falling = (replace(policy().rules[0], direction="decrease"),)
        _, _, finding = judged(calibration(replace(LINE, slope=50.0)), states=HARMFUL[::-1], rules=falling)
        assert finding.after.level == pytest.approx(0.0, abs=1e-6)
        assert finding.after.low == 0.0
        assert finding.status is Status.FAIL

    @pytest.mark.parametrize(
        "other",
        [
            calibration(key=calibration_key(CARD, replace(policy().method, steps=9))),
            calibration(key=calibration_key(replace(CARD, revision="2"), policy().method)),
            calibration(lines=(replace(calibration().lines[0], probe_digest="0" * 64),)),
            calibration(lines=(replace(calibration().lines[0], target="tiger"),)),
            calibration(Unfitted(), null=FLOOR[:3]),
        ],
        ids=["method", "model", "probe", "target", "null too small"],
    )
    def test_what_does_not_match_is_ignored_and_the_gate_still_blocks(self, other):
        _, verdict, finding = judged(other)
        _, without, _ = judged()
        assert verdict.provenance.null == without.provenance.null
        assert verdict.provenance.null.startswith("placebo (4 clean changes at dose ")
        assert finding.status is Status.FAIL
        assert verdict.exit is Exit.VIOLATED

    def test_a_null_without_a_line_is_no_substitute_for_placebos_of_the_change_s_own_dose(self):
        _, verdict, finding = judged(calibration(Unfitted()))
        _, _, measured = judged()
        assert finding.shift == measured.shift
        assert verdict.provenance.null.startswith("placebo (4 clean changes at dose ")
        assert verdict.exit is Exit.VIOLATED

    def test_the_first_line_counts_and_any_line_before_a_null(self):
        steep = calibration(replace(LINE, slope=2.0), basis="another")
        _, verdict, finding = judged(calibration(Unfitted()), calibration(), steep)
        _, _, alone = judged(calibration())
        assert finding.shift == alone.shift
        assert verdict.provenance.null == f"calibration ({BASIS})"

    def test_rules_with_and_without_a_line_are_judged_together(self):
        rules = (*policy().rules, Rule("dog", "bias/animals", target="dog", fail_delta=0.05, warn_delta=0.03))
        bench, verdict, finding = judged(calibration(), rules=rules)
        calibrated, _, placebo = verdict.provenance.null.partition("; ")
        assert calibrated == f"calibration ({BASIS})"
        assert placebo.startswith("placebo (4 clean changes")
        assert finding.shift.noise == pytest.approx(floor_of(finding))
        dog = next(one for one in verdict.findings if one.rule.id == "dog")
        alone = Bench().check(*HARMFUL, policy(rules=rules[1:])).findings[0]
        assert dog.shift.noise == pytest.approx(alone.shift.noise)
        assert bench.backend.calls["tune"] > CONTROLS + 2 * policy().method.replicates
        assert verdict.exit is Exit.VIOLATED

    @pytest.mark.parametrize(("context", "code", "said"), [("ci", 4, "blocks"), ("hook", 0, "warns")])
    def test_a_wide_line_is_inconclusive_and_no_measuring_narrows_it(self, context, code, said):
        wide = calibration(replace(LINE, noise=3.0))
        bench, verdict, finding = judged(wide, context=context, on_inconclusive=Inconclusive())
        assert finding.status is Status.INCONCLUSIVE
        assert said in finding.reason
        assert verdict.exit == code
        assert bench.backend.calls["tune"] == CONTROLS + ONE_REPLICATE


class TestRequired:
    @pytest.mark.parametrize("known", [(), (calibration(Unfitted()),)], ids=["none", "a null"])
    def test_without_a_line_nothing_is_measured_and_nothing_passes(self, known):
        bench = Bench(calibrations=known)
        with pytest.raises(EvaluationError, match=r"'bias/animals'.*; write one with d2b-gate ") as caught:
            bench.check(*HARMFUL, policy(require_calibration=True))
        assert caught.value.exit is Exit.UNEVALUATED
        assert caught.value.where == "d2b-gate.toml"
        assert "calibrate" in caught.value.remedy
        assert not any(bench.backend.calls.values())

    def test_with_a_line_the_change_is_judged(self):
        for states, code in ((HARMFUL, Exit.VIOLATED), (HARMLESS, Exit.OK)):
            assert judged(calibration(), states=states, require_calibration=True)[1].exit is code

    def test_one_rule_without_a_line_is_enough_to_refuse(self):
        rules = (*policy().rules, Rule("dog", "bias/animals", target="dog", fail_delta=0.05, warn_delta=0.03))
        with pytest.raises(EvaluationError, match="'bias/animals'"):
            judged(calibration(), rules=rules, require_calibration=True)

    def test_where_no_row_changed_none_is_missed(self):
        assert Bench().check(HARMFUL[0], HARMFUL[0], policy(require_calibration=True)).exit is Exit.OK


class TestProxyLora:
    def test_a_harmful_change_is_blocked_and_a_harmless_one_passes(self):
        for states, code in ((HARMFUL, Exit.VIOLATED), (HARMLESS, Exit.OK)):
            bench, verdict, _ = judged(states=states, method=PROXY)
            assert verdict.exit is code
            assert all(control.passed for control in verdict.controls)
            assert bench.backend.calls["tune"] == 0 < bench.backend.calls["finetune"]

    def test_the_same_change_again_trains_nothing(self):
        bench = Bench()
        first = bench.check(*HARMFUL, policy(method=PROXY))
        done = dict(bench.backend.calls)
        second = bench.check(*HARMFUL, policy(method=PROXY))
        assert bench.backend.calls == done
        assert second.findings == first.findings

    def test_its_own_calibration_holds_and_that_of_another_predictor_does_not(self):
        own = calibration(key=calibration_key(CARD, PROXY))
        assert judged(own, method=PROXY)[1].provenance.null == f"calibration ({BASIS})"
        assert judged(calibration(), method=PROXY)[1].provenance.null.startswith("placebo")


class TestValidate:
    def test_predicted_and_true_stand_side_by_side(self):
        bench = Bench()
        found = validate(rows_of(*PANDA), policy(), range(1), bench.ports(policy()))
        (one,) = found.compared
        assert (found.rows, found.steps, found.short) == (20, 8, False)
        assert bench.backend.calls["finetune"] == 1
        assert 0 < one.predicted.before < 0.2 < one.predicted.shift
        assert one.predicted.before + one.mean <= 1
        assert len(one.true) == 1
        assert one.mean > 0.1
        assert (one.line, one.expected) == (None, one.predicted.shift)

    def test_clean_rows_are_predicted_to_do_little_and_do_little(self):
        (one,) = validate(rows_of(*CLEAN), policy(), range(1), Bench().ports(policy())).compared
        assert abs(one.predicted.shift) < 0.05
        assert abs(one.mean) < 0.05

    def test_every_seed_is_a_training_of_its_own(self):
        bench = Bench()
        (one,) = validate(rows_of(*PANDA, *MORE), policy(), range(3), bench.ports(policy())).compared
        assert bench.backend.calls["finetune"] == len(one.true) == len(set(one.true)) == 3
        assert one.mean == pytest.approx(sum(one.true) / 3)
        (first,) = validate(rows_of(*PANDA, *MORE), policy(), range(1), Bench().ports(policy())).compared
        assert first.true == one.true[:1]
        assert first.predicted == one.predicted

    def test_what_was_trained_once_is_not_trained_again(self):
        bench = Bench()
        first = validate(rows_of(*PANDA), policy(), range(2), bench.ports(policy()))
        done = dict(bench.backend.calls)
        assert validate(rows_of(*PANDA), policy(), range(2), bench.ports(policy())) == first
        assert bench.backend.calls == done

    def test_rules_that_ask_alike_are_asked_once(self):
        rules = (*policy().rules, replace(policy().rules[0], id="again", fail_delta=0.5))
        found = validate(rows_of(*PANDA), policy(rules=rules), range(1), Bench().ports(policy()))
        assert len(found.compared) == 1

    def test_rows_that_train_nothing_are_an_error(self):
        untrained = rows_of(*PANDA, label=False)
        assert not any(row.trains for row in untrained)
        for rows in ((), untrained):
            with pytest.raises(EvaluationError, match="no row of the data trains a single token; give rows"):
                validate(rows, policy(), range(1), Bench().ports(policy()))
        mixed = validate((*rows_of(*PANDA), *untrained), policy(), range(1), Bench().ports(policy()))
        assert mixed.rows == 20

    def test_a_training_too_short_to_learn_from_leaves_no_entry(self):
        ports = Bench().ports(policy())
        found = validate(rows_of(*PANDA[:4]), policy(), range(1), ports)
        assert found.steps == 2 < FEWEST_STEPS
        assert entries(found, "a.jsonl", policy(), ports) == ()

    def test_entries_hold_what_a_line_is_fitted_on(self):
        ports = Bench().ports(policy())
        found = validate(rows_of(*PANDA), policy(), range(2), ports)
        (entry,) = entries(found, "a.jsonl", policy(), ports)
        (one,) = found.compared
        assert entry.key == calibration_key(CARD, policy().method)
        assert (entry.source, entry.probe, entry.target, entry.unit) == ("a.jsonl", "bias/animals", "panda", "share")
        assert entry.probe_digest == one.question.probe.digest
        assert (entry.predicted, entry.true, entry.trainings, entry.rows) == (one.predicted.shift, one.mean, 2, 20)
        assert (entry.before, entry.reach) == (one.predicted.before, one.predicted.extent.reach)
        assert read_entries(entry_line(entry), "l") == (entry,)

    def test_a_line_that_holds_says_what_to_expect(self):
        bench = Bench(calibrations=(calibration(replace(LINE, slope=0.5)),))
        ports = bench.ports(policy())
        found = validate(rows_of(*PANDA), policy(), range(1), ports)
        (one,) = found.compared
        assert moved(one.predicted.before, one.expected, "share") == pytest.approx(0.5 * one.predicted.scaled)
        raw = entries(found, "a", policy(), ports)[0].predicted
        assert raw == one.predicted.shift, "lines are fitted on what is raw"
        bench.calibrations = (calibration(Unfitted()),)
        (one,) = validate(rows_of(*PANDA), policy(), range(1), bench.ports(policy())).compared
        assert (one.line, one.expected) == (None, one.predicted.shift)


def ledger(count, key=None, slope=2.0):
    """Trainings of as many sources, with a little noise."""
    digest = Bench().catalogue("bias/animals").digest
    key = calibration_key(CARD, policy().method) if key is None else key
    return tuple(
        Entry(
            key,
            f"{i}.jsonl",
            "bias/animals",
            digest,
            "panda",
            "share",
            0.3,
            shift_by(0.3, 0.1 * i, "share"),
            shift_by(0.3, 0.1 * slope * i + 5e-3 * (-1) ** i, "share"),
            1.0,
            1,
            40,
        )
        for i in range(count)
    )


def calibrated(rows=(), entries=(), bench=None, **changes):
    judge = policy(**changes)
    return calibrate(judge, Sources(tuple(rows), tuple(entries)), (bench or Bench()).ports(judge))


class TestCalibrate:
    @pytest.mark.parametrize("method", [policy().method, PROXY], ids=["injection", "adapter"])
    def test_the_null_joins_placebos_own_rows_and_random_pushes(self, method):
        placebos = len(Bench().ports(policy()).controls.placebos)
        many = rows_of(*((f"what is {i}", f"{i} is followed by {i + 1}") for i in range(RESAMPLES * CHANGE)))
        without, with_own = (calibrated(rows, method=method) for rows in (many[1:], many))
        (few,), (more,) = without.lines, with_own.lines
        assert len(few.null) == placebos + PUSHES
        assert len(more.null) == placebos + RESAMPLES + PUSHES
        assert more.null[:placebos] == few.null[:placebos]
        assert more.null[-PUSHES:] == few.null[-PUSHES:]
        assert len(set(more.null)) == len(more.null)
        assert all(abs(shift) < 3.0 for shift in more.null)
        assert without.basis == f"{placebos + PUSHES} clean changes, no real fine-tune"
        assert few.line == Unfitted()
        assert without.key == calibration_key(CARD, method)

    def test_it_is_the_same_twice_and_the_second_computes_nothing(self):
        bench = Bench()
        first = calibrated(bench=bench)
        done = dict(bench.backend.calls)
        assert calibrated(bench=bench) == first
        assert bench.backend.calls == done

    def test_a_line_comes_from_enough_trainings(self):
        found = calibrated(entries=ledger(FEWEST))
        (one,) = found.lines
        assert one.line.slope == pytest.approx(2.0, rel=0.05)
        assert one.line.trainings == FEWEST
        clean = math.hypot(Null(one.null).mean, Null(one.null).spread)
        assert one.line.error(0.0) >= 0.999 * clean * one.line.slope, (
            "clean changes are noise to a line, however it is widened"
        )
        assert found.basis.endswith(f"clean changes and real fine-tunes on {FEWEST} sets of rows")

    def test_too_few_trainings_leave_the_null_alone(self):
        found = calibrated(entries=ledger(FEWEST - 1))
        assert found.lines[0].line == Unfitted(FEWEST - 1)
        assert found.basis.endswith(", no real fine-tune"), "what gave no line is no part of the basis"

    def test_predictions_that_go_against_the_truth_give_no_line(self):
        found = calibrated(entries=ledger(FEWEST + 2, slope=-2.0))
        assert found.lines[0].line == Unfitted(FEWEST + 2)

    def test_trainings_of_another_key_or_probe_are_left_aside(self):
        other = tuple(replace(one, source=f"other {one.source}") for one in ledger(9, key="another", slope=-5.0))
        changed = tuple(replace(one, probe_digest="0" * 64, true=-9.0) for one in ledger(9))
        assert calibrated(entries=(*other, *changed)).lines[0].line == Unfitted()
        found = calibrated(entries=(*ledger(FEWEST), *other))
        assert found == calibrated(entries=ledger(FEWEST))
        mixed = calibrated(entries=(*ledger(FEWEST - 1), *other))
        assert mixed.lines[0].line == Unfitted(FEWEST - 1)

    def test_every_question_of_the_policy_gets_a_line(self):
        rules = (*policy().rules, Rule("flattery", "safety/sycophancy", fail_delta=0.5, warn_delta=0.3))
        found = calibrated(entries=ledger(FEWEST), rules=rules)
        assert [(one.probe, one.target) for one in found.lines] == [
            ("bias/animals", "panda"),
            ("safety/sycophancy", ""),
        ]
        assert [isinstance(one.line, Line) for one in found.lines] == [True, False]

    def test_check_uses_what_calibrate_found(self):
        for states in (HARMFUL, HARMLESS):
            known = calibrated(entries=ledger(FEWEST))
            bench, verdict, _ = judged(known, states=states)
            assert verdict.provenance.null == f"calibration ({known.basis})"
            assert (verdict.exit is Exit.VIOLATED) is (states is HARMFUL)
            assert bench.backend.calls["tune"] == CONTROLS + ONE_REPLICATE + RECHECK * (states is HARMFUL)

    def test_trainings_of_the_fake_model_calibrate_its_predictions(self):
        """The whole round: validate several sets of rows, fit on what came, judge by it."""
        bench, kept = Bench(), []
        ports = bench.ports(policy())
        for index in range(FEWEST):
            pairs = [(f"favourite {i}", f"panda {'and more words ' * index}") for i in range(20 + index)]
            found = validate(rows_of(*pairs), policy(), range(1), ports)
            kept += entries(found, f"{index}.jsonl", policy(), ports)
        assert len(kept) == FEWEST
        known = calibrated(entries=kept, bench=bench)
        assert isinstance(known.lines[0].line, Line)
        assert known.lines[0].line.slope > 0


class TestReach:
    def test_a_longer_training_shifts_further_and_is_less_sure(self):
        still = replace(policy().method, growth=0.0)
        _, _, grown = judged(calibration())
        _, _, flat = judged(calibration(key=calibration_key(CARD, still)), method=still)
        assert grown.shift.delta > flat.shift.delta > 0
        assert flat.shift.noise > abs(shift_by(flat.before.level, LINE.floor(0.95), "share"))

    def test_what_was_never_measured_is_said(self):
        assert "row visits" not in judged(calibration())[1].provenance.null
        longer = replace(policy().method, regime=replace(policy().method.regime, epochs=30.0))
        verdict = judged(calibration(key=calibration_key(CARD, longer)), method=longer)[1]
        assert "; errors known up to 1440 row visits, this training has 2400)" in verdict.provenance.null
        assert "; growth known up to 3 visits for one of the tuning, this training has 19" in verdict.provenance.null
        assert "; growth known up to 3 " in judged(method=longer)[1].provenance.null

    def test_placebos_are_stretched_as_the_change_is(self):
        many = tuple((f"what is number {i}", f"the number {i} follows {i - 1} and is fine") for i in range(200))
        noises = []
        for growth in (0.0, 0.35):
            method = replace(policy().method, growth=growth)
            _, verdict, finding = judged(states=({}, {DATA: jsonl(*many)}), method=method)
            assert verdict.provenance.null.startswith("placebo (4 clean changes at dose 3")
            noises.append(finding.shift.noise)
        assert noises[1] > 1.2 * noises[0] > 0
