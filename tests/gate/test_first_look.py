"""A first look decides only what the whole prediction would have passed without a word."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from d2b_gate.backends.fake import CARD, FakeBackend
from d2b_gate.core.calibration import Line
from d2b_gate.core.calibration_file import calibration_key
from d2b_gate.core.errors import Exit
from d2b_gate.core.verdict import Status
from d2b_gate.gate import check
from d2b_gate.gate.evaluate import noise_from
from d2b_gate.gate.firstlook import shorter
from tests.gate.harness import policy
from tests.gate.test_calibration import BASIS, CONTROLS, HARMFUL, HARMLESS, ONE_REPLICATE, calibration, judged

METHOD = replace(policy().method, first_look=6)
WHOLE = calibration(key=calibration_key(CARD, METHOD))
FIRST = calibration(key=calibration_key(CARD, shorter(METHOD)), basis="first looks")
UNSURE = replace(FIRST, lines=(replace(FIRST.lines[0], line=Line(1.0, 0.0, 3.0, 0.1, 1.0, 24, 24, 240)),))


def test_a_clean_change_is_decided_by_the_first_look_alone():
    bench, verdict, finding = judged(WHOLE, FIRST, states=HARMLESS, method=METHOD)
    assert (verdict.exit, finding.status) == (Exit.OK, Status.OK)
    assert bench.backend.calls["tune"] == CONTROLS + ONE_REPLICATE
    assert verdict.provenance.null == "calibration (first looks); a first look of 6 steps"


def test_it_takes_fewer_steps_than_the_whole_prediction(monkeypatch):
    steps = []
    real = FakeBackend.tune

    def counted(backend, plan):
        steps.append(len(plan.steps))
        return real(backend, plan)

    monkeypatch.setattr(FakeBackend, "tune", counted)
    taken = {}
    for known in ((WHOLE, FIRST), (WHOLE,)):
        steps.clear()
        judged(*known, states=HARMLESS, method=METHOD)
        taken[len(known)] = sum(steps[CONTROLS:])
    assert 0 < taken[2] < taken[1]


def test_what_explains_its_findings_is_read_from_its_own_states(monkeypatch):
    def warned(findings, *_):
        return tuple(replace(one, status=Status.WARN) for one in findings), ()

    monkeypatch.setattr(check, "guarded", warned)
    bench, _, finding = judged(WHOLE, FIRST, states=HARMLESS, method=METHOD)
    assert finding.status is Status.WARN
    assert finding.doses
    assert bench.backend.calls["tune"] == CONTROLS + ONE_REPLICATE


@pytest.mark.parametrize("states", [HARMFUL, HARMLESS])
@pytest.mark.parametrize("known", [(WHOLE, FIRST), (WHOLE, UNSURE)], ids=["sure", "unsure"])
def test_the_verdict_is_that_of_the_whole_prediction(states, known):
    _, quick, one = judged(*known, states=states, method=METHOD)
    _, whole, other = judged(WHOLE, states=states, method=replace(METHOD, first_look=0))
    assert (quick.exit, one.status) == (whole.exit, other.status)


def test_what_it_leaves_open_is_predicted_in_full():
    bench, verdict, finding = judged(WHOLE, FIRST, states=HARMFUL, method=METHOD)
    _, _, whole = judged(WHOLE, states=HARMFUL, method=replace(METHOD, first_look=0))
    assert verdict.provenance.null == f"calibration ({BASIS})"
    assert finding.shift == whole.shift
    assert bench.backend.calls["tune"] >= CONTROLS + 2 * ONE_REPLICATE


def test_none_is_made_where_even_no_shift_at_all_would_leave_something_open():
    bench, verdict, _ = judged(WHOLE, UNSURE, states=HARMLESS, method=METHOD)
    assert verdict.provenance.null == f"calibration ({BASIS})"
    assert bench.backend.calls["tune"] == CONTROLS + ONE_REPLICATE


@pytest.mark.parametrize(
    ("known", "changes"),
    [
        ((WHOLE,), {}),  # no line of its own
        ((FIRST,), {}),  # none for the whole prediction, without which nothing could be told where it is not sure
        ((WHOLE, FIRST), {"first_look": 0}),
        ((WHOLE, FIRST), {"first_look": METHOD.steps}),
        ((WHOLE, calibration(key=calibration_key(CARD, replace(METHOD, steps=3)))), {"first_look": 3}),  # reach unknown
    ],
)
def test_there_is_none_without_lines_or_where_it_would_save_nothing(known, changes):
    bench, verdict, _ = judged(*known, states=HARMLESS, method=replace(METHOD, **changes))
    assert "first look" not in verdict.provenance.null.split(";")[-1]
    assert bench.backend.calls["tune"] >= CONTROLS + ONE_REPLICATE


def test_a_warning_is_never_left_to_it():
    near = tuple(replace(rule, warn_delta=1e-6) for rule in policy().rules)
    bench, verdict, finding = judged(WHOLE, FIRST, states=HARMLESS, method=METHOD, rules=near)
    assert "first look" not in verdict.provenance.null
    assert bench.backend.calls["tune"] >= CONTROLS + ONE_REPLICATE
    assert finding.rule.warn_delta == 1e-6


def test_whose_noise_is_a_first_look_s_is_told_by_dataset():
    def measured(null, *datasets):
        (rule, *_) = policy().rules
        group = SimpleNamespace(rules=(replace(rule, datasets=datasets),))
        return SimpleNamespace(group=group, null=null)

    chat, code, rest = measured("one; a first look of 6 steps", "chat"), measured("two", "code"), measured("two")
    assert noise_from([]) == ""
    assert noise_from([code, rest]) == "two"
    told = noise_from([chat, code, rest])
    assert told == "for chat: one; a first look of 6 steps; for code, all datasets: two"
