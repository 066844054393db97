"""The plan on paper: the guide quotes what the script prints, and the script's arithmetic is that of a few lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.scale_plan import BEGIN, END, GUIDE, TRAINING, Plan, gpu_hours, operations, sizes, table, verdict_visits
from d2b_gate.core.clusters import compared
from d2b_gate.core.mixture import Mixture, visits_of
from d2b_gate.core.rows import Turn, make_row
from d2b_gate.core.rules import MethodSpec


def test_the_guide_quotes_the_script():
    assert f"{BEGIN}\n{table(Plan())}\n{END}" in GUIDE.read_text(encoding="utf-8")


def test_the_arithmetic():
    plan = replace(Plan(), rows=10.0, tokens=100.0, parameters=1e9, depth=0.5, epochs=3.0, spread=2.0)
    jobs = operations(plan)
    assert jobs["every row, states at all sites"] == 2e12
    assert jobs["every row, states at one site"] == 1e12
    assert jobs["every row, gradients"] == 4e12
    assert jobs[TRAINING] == 1.2e13
    assert gpu_hours(replace(plan, peak=1e12, share=0.5), "every row, gradients", 4e12) == pytest.approx(16 / 3600)
    assert gpu_hours(replace(plan, peak=1e12, share=0.5), TRAINING, 1.2e13) == pytest.approx(24 / 3600)
    held = sizes(replace(plan, width=100, blocks=4, text=1000.0))
    assert held["features at one site, half precision"] == 10 * 100 * 2
    assert held["features at all sites, half precision"] == 10 * 100 * 2 * 4


def test_the_cheap_feature_is_as_deep_as_the_gate_reads():
    plan = Plan()
    assert int(plan.depth * plan.blocks) == compared(plan.blocks).block


def test_a_verdict_meets_changed_rows_besides_the_kept_ones():
    plan, method = Plan(), MethodSpec()
    rows = tuple(make_row([Turn("text", str(i), trained=True)]) for i in range(method.sample))
    state = Mixture(rows, rows, plan.changed, plan.changed * plan.rows)
    assert verdict_visits(method) == 2 * method.replicates * visits_of(state, method).total


def test_the_verdict_does_not_depend_on_the_rows():
    few, many = (operations(replace(Plan(), rows=rows)) for rows in (1e4, 1e9))
    for name in few:
        same = few[name] == many[name]
        assert same == name.startswith("verdict: ")
