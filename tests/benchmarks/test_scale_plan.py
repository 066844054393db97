"""The plan on paper: the guide quotes what the script prints, and the script's arithmetic is that of a few lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.scale_plan import BEGIN, END, GUIDE, TRAINING, Plan, gpu_hours, operations, sizes, table


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


def test_the_verdict_does_not_depend_on_the_rows():
    few, many = (operations(replace(Plan(), rows=rows)) for rows in (1e4, 1e9))
    for name in few:
        same = few[name] == many[name]
        assert same == name.startswith("verdict: ")
