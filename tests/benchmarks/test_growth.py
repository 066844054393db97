from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks import growth
from benchmarks.growth import METHOD, pairs_of, slope
from benchmarks.truth.behaviours import BEHAVIOURS
from d2b_gate.core.mixture import growth_of
from tests.benchmarks.synthetic import predicting, training


def test_a_slope_is_that_of_truth_on_prediction():
    assert slope([(1.0, 2.0), (-2.0, -4.0)]) == pytest.approx(2.0)


def test_the_method_s_own_stretching_is_taken_out_again():
    one = training("long", 3.0)
    grown = growth_of(4.0, METHOD)
    contender = replace(predicting("proxy-lora", [one], grown / 3), reaches={"long": 4.0})
    assert [said for said, _ in pairs_of(contender, one)] == pytest.approx([1.0] * len(BEHAVIOURS))


def test_the_committed_table_supports_the_power_that_the_method_has(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["growth"])
    assert growth.main() == 0
    (said,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("mean power")]
    mean, median = (float(word.rstrip(",;")) for word in said.split() if word[0].isdigit() and word[-1] in ",;")
    assert min(mean, median) - 0.1 <= METHOD.growth <= max(mean, median) + 0.1
