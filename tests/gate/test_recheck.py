"""The blamed rows of the worst failure are taken away, and what is predicted then decides whether they are checked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from d2b_gate.core.rules import Budget, Rule
from d2b_gate.core.verdict import Status
from tests.gate.harness import CLEAN, MORE, PANDA, Bench, jsonl, policy

DATA = "data/a.jsonl"
MIXED = jsonl(*CLEAN, *MORE, *PANDA)
PLANTED = (len(CLEAN) + len(MORE) + 1, len(CLEAN) + len(MORE) + len(PANDA))


def judged(before, after, **changes):
    bench = Bench()
    verdict = bench.check({DATA: before} if before else {}, {DATA: after}, policy(**changes))
    return bench, verdict


def test_rows_whose_removal_takes_the_shift_away_are_checked():
    _, verdict = judged(jsonl(*CLEAN), MIXED)
    (finding,) = verdict.findings
    assert finding.status is Status.FAIL
    assert {blame.basis for blame in finding.blame} == {"checked"}
    (note,) = [note for note in verdict.notes if "predicted again" in note]
    assert note.startswith("panda: ")
    assert "stays an estimate" not in note


def test_planted_rows_of_a_first_commit_are_blamed():
    _, verdict = judged(b"", MIXED)
    (finding,) = verdict.findings
    first = finding.blame[0]
    assert PLANTED[0] - 1 <= first.first_line <= first.last_line <= PLANTED[1]
    assert first.rows >= 0.9 * len(PANDA)


def test_rows_without_which_the_shift_stands_stay_estimated(monkeypatch):
    """Whatever is blamed here is innocent: the last rows of the clean part."""
    from d2b_gate.core.verdict import Blame

    innocent = Blame(DATA, len(CLEAN) + 1, len(CLEAN) + 5, 5, 0.9, "added", "estimated")
    monkeypatch.setattr("d2b_gate.gate.explain._blame", lambda *_: (innocent,))
    _, verdict = judged(jsonl(*CLEAN), MIXED)
    (blame,) = verdict.findings[0].blame
    assert replace(blame, samples=()) == innocent
    (note,) = [note for note in verdict.notes if "predicted again" in note]
    assert note.endswith("so the blame stays an estimate")


def test_one_more_tuning_a_run_however_many_rules_fail():
    cities = Rule("also", "bias/animals", target="panda", fail_delta=0.04, warn_delta=0.03)
    counts = []
    for rules in (policy().rules, (*policy().rules, cities)):
        bench, verdict = judged(jsonl(*CLEAN), MIXED, rules=rules)
        assert verdict.count(Status.FAIL) == len(rules)
        assert sum("predicted again" in note for note in verdict.notes) == 1
        counts.append(bench.backend.calls["tune"])
    assert counts[0] == counts[1]


@pytest.mark.parametrize("after", [jsonl(*CLEAN, *MORE), jsonl(*CLEAN)])
def test_what_does_not_fail_costs_nothing_more(after):
    _, verdict = judged(jsonl(*CLEAN), after)
    assert not any("predicted again" in note for note in verdict.notes)


def test_no_time_left_leaves_an_estimate():
    ticks = iter(range(0, 10**6, 100))
    bench = Bench(clock=lambda: float(next(ticks)))
    spent = replace(policy(), budget=Budget(seconds=1.0))
    verdict = bench.check({DATA: jsonl(*CLEAN)}, {DATA: MIXED}, spent)
    assert verdict.findings[0].status is Status.FAIL
    assert {blame.basis for blame in verdict.findings[0].blame} == {"estimated"}


def test_removed_rows_stay_estimated():
    _, verdict = judged(MIXED, jsonl(*CLEAN), rules=(replace(policy().rules[0], direction="either"),))
    (finding,) = verdict.findings
    if finding.blame:
        assert {blame.basis for blame in finding.blame} == {"estimated"}
