"""Which earlier results belong to the line of a rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from d2b_gate.core.history import Past, comparable, past_shifts
from d2b_gate.core.verdict import Status
from tests.reports.verdicts import ERROR, FAILED, PROVENANCE, QUIET, WARNED, verdict


def test_the_shifts_of_a_rule_in_the_order_given():
    past = (Past("monday", verdict(QUIET, WARNED)), Past("tuesday", verdict(FAILED)))
    found = past_shifts(FAILED, past)
    assert [(one.when, one.status, one.shift) for one in found] == [
        ("monday", Status.WARN, WARNED.shift),
        ("tuesday", Status.FAIL, FAILED.shift),
    ]
    assert found[0].scope == PROVENANCE.scope


@pytest.mark.parametrize("change", [{"id": "x"}, {"probe": "x"}, {"target": "x"}, {"datasets": ("x",)}])
def test_another_question_has_no_point(change):
    other = replace(FAILED, rule=replace(FAILED.rule, **change))
    assert past_shifts(FAILED, (Past("then", verdict(other)),)) == ()


def test_another_unit_and_what_was_not_measured_have_no_point():
    assert past_shifts(FAILED, (Past("then", verdict(replace(FAILED, unit="nats"))),)) == ()
    assert past_shifts(QUIET, (Past("then", verdict(ERROR)),)) == ()


@pytest.mark.parametrize("name", ["policy_path", "model_id", "model_revision", "predictor"])
def test_results_of_another_policy_model_or_predictor_are_not_comparable(name):
    one = verdict(FAILED)
    assert comparable(one, replace(one, provenance=replace(PROVENANCE, scope="another", seed=7)))
    assert not comparable(one, replace(one, provenance=replace(PROVENANCE, **{name: "another"})))
