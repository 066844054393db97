from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks import growth
from benchmarks.growth import METHOD, REACH, needed, pairs_of, slope
from benchmarks.scoring.predictions import Contender
from benchmarks.truth.behaviours import BEHAVIOURS
from d2b_gate.core.mixture import growth_of
from tests.benchmarks.synthetic import predicting, shifts, steps, training


def test_a_slope_is_that_of_truth_on_prediction():
    assert slope([(1.0, 2.0), (-2.0, -4.0)]) == pytest.approx(2.0)


def test_the_method_s_own_stretching_is_taken_out_again():
    one = training("long", 3.0)
    grown = growth_of(4.0, METHOD)
    contender = replace(predicting("proxy-lora", [one], grown / 3), reaches={"long": 4.0})
    assert [said for said, _ in pairs_of(contender, one)] == pytest.approx([1.0] * len(BEHAVIOURS))


def test_a_reading_far_outside_needs_a_higher_power_of_the_reach():
    near = steps("tuned", 16)
    said = {one.name: shifts(float(i - 8) + 0.2 * (-1) ** i) for i, one in enumerate(near)}

    def highest(shift):
        far = training("far", shift)
        contender = Contender("proxy-lora", {**said, "far": shifts(2.0)}, reaches={"far": 3.0})
        return needed(contender, REACH, [far], near)[-1]

    exact, off, further_off = (highest(2.0 + error) for error in (0.0, 3.0, 9.0))
    assert 0 == exact < off < further_off


def test_the_committed_table_supports_the_power_that_the_method_has(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["growth"])
    assert growth.main() == 0
    lines = capsys.readouterr().out.splitlines()
    (said,) = [line for line in lines if line.startswith("mean power")]
    mean, median = (float(word.rstrip(",;")) for word in said.split() if word[0].isdigit() and word[-1] in ",;")
    assert min(mean, median) - 0.1 <= METHOD.growth <= max(mean, median) + 0.1
    needs = [line for line in lines if "need errors to grow" in line]
    for said in needs:
        power, taken = (
            float(part.split()[0].rstrip(";")) for part in (said.split("power ")[1], said.split("take ")[1])
        )
        assert taken == pytest.approx(power, abs=0.1)
    assert len(needs) == 2
