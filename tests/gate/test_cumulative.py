"""The comparison with a baseline, over files in memory."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from d2b_gate.core.baseline import Baseline
from d2b_gate.core.change import Scope
from d2b_gate.core.errors import EvaluationError, Exit
from d2b_gate.core.rules import DatasetSpec, Rule
from d2b_gate.gate.check import run
from d2b_gate.gate.cumulative import Start, bless, cumulative_policy, with_cumulative
from d2b_gate.gate.ports import Request
from tests.gate.harness import CLEAN, MORE, PANDA, Bench, jsonl, policy

PLAIN = Rule("panda", "bias/animals", target="panda", fail_delta=0.9, warn_delta=0.9)
BUDGET = replace(PLAIN, budget_delta=0.95, max_level=0.99)
ONE = policy().datasets
TWO = (DatasetSpec("sft", ("data/",), row_schema="row.json"), DatasetSpec("chat", ("chat/",)))
THEN = {"data/a.jsonl": jsonl(*CLEAN)}
BEFORE = {"data/a.jsonl": jsonl(*CLEAN, *PANDA[:10])}
AFTER = {"data/a.jsonl": jsonl(*CLEAN, *PANDA[:11])}


def judged(rules, *, then=THEN, before=BEFORE, after=AFTER, datasets=ONE, recorded=()):
    """A verdict on before -> after, with the comparison of ``then`` and ``after``."""
    bench, made = Bench(), policy(rules=rules, datasets=datasets)
    ports, start = bench.ports(made), bench.snapshot("baseline", then)
    held = recorded or bless(made.datasets, start, ports)
    request = Request(Scope(bench.snapshot("before", before), bench.snapshot("after", after)), made, "ci")
    return with_cumulative(run(request, ports), request, Start(Baseline("0" * 40, held), start, "b.json"), ports)


def test_what_passes_as_a_change_fails_since_the_baseline():
    found = judged((replace(PLAIN, budget_delta=0.1, fail_delta=0.1, warn_delta=0.1),))
    assert [finding.status.value for finding in found.findings] == ["ok"]
    (since,) = found.since
    assert (since.scope, since.added, since.removed) == ("baseline -> after", 11, 0)
    assert [finding.status.value for finding in since.findings] == ["fail"]
    assert found.exit is Exit.VIOLATED
    assert since.findings[0].blame


def test_a_baseline_that_is_the_state_before_shows_the_same_shift():
    found = judged((BUDGET,), then=BEFORE)
    (since,) = found.since
    assert since.findings[0].shift.delta == found.findings[0].shift.delta


def test_rules_without_a_budget_and_changes_without_rows_are_not_compared():
    assert judged((PLAIN,)).since == ()
    assert judged((BUDGET,), after=BEFORE).since == ()
    both = judged((BUDGET, replace(PLAIN, id="open")))
    assert [finding.rule.id for finding in both.since[0].findings] == ["panda"]


def test_a_budget_takes_the_place_of_limits_and_leaves_ceilings_and_schemas_to_the_change():
    made = cumulative_policy(policy(rules=(PLAIN, replace(BUDGET, datasets=("sft",))), datasets=TWO))
    (rule,) = made.rules
    assert (rule.fail_delta, rule.warn_delta, rule.max_level) == (0.95, 0.95, math.inf)
    assert [(spec.name, spec.row_schema) for spec in made.datasets] == [("sft", "")]
    everything = cumulative_policy(policy(rules=(BUDGET,), datasets=TWO))
    assert [spec.name for spec in everything.datasets] == ["sft", "chat"]
    assert cumulative_policy(policy(rules=(PLAIN,), datasets=TWO)).datasets == ()


def test_a_dataset_that_no_budget_judges_may_have_changed_since():
    rules = (replace(BUDGET, datasets=("sft",)), replace(PLAIN, id="open", datasets=("chat",)))
    datasets = (TWO[0], TWO[1])
    after = {**AFTER, "chat/a.jsonl": jsonl(*MORE)}
    found = judged(rules, after=after, datasets=(replace(datasets[0], row_schema=""), datasets[1]))
    assert found.since[0].added == 11


def test_3_where_the_record_and_the_commit_disagree():
    bench, made = Bench(), policy()
    other = bless(made.datasets, bench.snapshot("other", BEFORE), bench.ports(made))
    with pytest.raises(EvaluationError, match="the rows of 'sft' at 0000000 are not those that were blessed"):
        judged((BUDGET,), recorded=other)


def test_the_fingerprint_covers_both_comparisons():
    alone, since, other = judged((PLAIN,)), judged((BUDGET,)), judged((BUDGET,), then=BEFORE)
    assert len({found.fingerprint for found in (alone, since, other)}) == 3
    assert judged((replace(BUDGET, budget_delta=0.93),)).fingerprint == since.fingerprint
