"""What is said of first looks is what the committed truth and predictions say."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from benchmarks.calibration import FIRST_LOOK, FOLDER, METHOD, _lines
from benchmarks.first_look import MODEL, RESULT, block, measure
from benchmarks.scoring.predictions import contenders
from benchmarks.scoring.shifts import trainings
from benchmarks.truth.sources import ROOT
from benchmarks.truth.table import everything
from d2b_gate.core.calibration import Line
from d2b_gate.core.calibration_file import calibration_key, read_calibration
from d2b_gate.core.ports import ModelCard
from d2b_gate.gate.firstlook import shorter


@pytest.fixture(scope="module")
def shipped():
    file = FOLDER / f"{MODEL}-first-look.json"
    return read_calibration(file.read_text(encoding="utf-8"), file.name)


def test_a_first_look_never_passes_what_the_whole_prediction_would_not():
    sides, alike = measure()
    record = json.loads(RESULT.read_text(encoding="utf-8"))
    assert record == {
        "steps": [METHOD.first_look, METHOD.steps],
        "sides": [asdict(one) for one in sides],
        "alike": alike,
    }
    assert all(one.wrong == 0 < one.decided for one in sides)
    assert block(sides, alike) in (ROOT / "docs" / "calibration.md").read_text(encoding="utf-8")


def test_its_lines_are_those_of_the_committed_truth_and_predictions(shipped):
    known = trainings(everything(MODEL))
    found = {one.name: one for one in contenders(MODEL, [one.name for one in known])}
    assert [one.line for one in shipped.lines] == [one.line for one in _lines(found[FIRST_LOOK], known)]
    assert all(isinstance(one.line, Line) for one in shipped.lines)


def test_its_key_is_that_of_the_default_method_with_fewer_steps(shipped):
    record = everything(MODEL)["gsm8k-base"]["provenance"]
    card = ModelCard("", record["revision"], record["tokenizer"], "bfloat16", "cpu", 30, 576, 1024, ())
    assert shipped.key == calibration_key(card, shorter(METHOD)) != calibration_key(card, METHOD)
