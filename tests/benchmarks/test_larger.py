from __future__ import annotations

import json

import pytest

from benchmarks import larger
from benchmarks.larger import uncalibrated
from tests.benchmarks.synthetic import NAMES, predicting, steps

KEPT = larger.RESULT


def test_predictions_are_scored_as_they_come():
    known = steps("held_out")
    found = uncalibrated(predicting("proxy-lora", known, 0.5), known)
    assert (found["pearson"], found["spearman_mean"], found["slope"]) == pytest.approx((1.0, 1.0, 2.0))
    assert (found["datasets"], found["readings"], found["sign_accuracy"]) == (8, 8 * len(NAMES), 1.0)
    assert found["sign_accuracy_n"] == 7 * len(NAMES), "a set that shifts nothing has no sign"
    against = uncalibrated(predicting("proxy-lora", known, -0.5), known)
    assert (against["pearson"], against["sign_accuracy"]) == (-1.0, 0.0)


def test_the_committed_truth_about_the_larger_model_covers_six_sets_and_both_models(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("sys.argv", ["larger"])
    monkeypatch.setattr(larger, "RESULT", tmp_path / "larger.json")
    assert larger.main() == 0
    assert "qwen2.5-coder-0.5b" in capsys.readouterr().out
    assert (tmp_path / "larger.json").read_text() == KEPT.read_text(), "the kept result is not that of the table"
    (own,) = [one for one in json.loads(KEPT.read_text())["contenders"] if one["model"] != larger.EMBEDDED][-1:]
    assert own["datasets"] >= 6
