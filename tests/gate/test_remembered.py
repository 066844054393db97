"""A verdict that is known is the verdict that would be reached, or it is not given."""

from __future__ import annotations

from dataclasses import replace

import pytest

from d2b_gate.core.calibration_file import read_calibration
from d2b_gate.core.change import FileRef, Scope
from d2b_gate.core.errors import EvaluationError, Exit
from d2b_gate.core.rules import Budget
from d2b_gate.core.verdict import Control, Status
from d2b_gate.core.waivers import Waiver, Waivers
from d2b_gate.gate.check import run
from d2b_gate.gate.ports import Request
from d2b_gate.gate.remembered import KIND, UNHAD, UNLOOKED, Setting, question_key, remembered
from d2b_gate.probes.catalogue import pack_root
from tests.gate.harness import CLEAN, MORE, PANDA, Bench, jsonl, policy

DATA = "data/a.jsonl"
SETTING = Setting("program", "staged", (FileRef("d2b-gate.calibration.json", "1" * 40, "100644"),), lambda file: True)
HARMFUL = (*CLEAN, *PANDA)


class Judge:
    """Judges anew, and counts how often it had to."""

    def __init__(self, bench=None):
        self.bench = bench or Bench()
        self.times = 0
        self.change = lambda verdict: verdict
        self.keys = set()

    def __call__(self, after=HARMFUL, asked=None, setting=SETTING, context="ci", waivers=None):
        before, head = (self.bench.snapshot(name, {DATA: jsonl(*rows)}) for name, rows in (("a", CLEAN), ("b", after)))
        request = Request(Scope(before, head), asked or policy(), context, waivers or Waivers())
        ports = self.bench.ports(request.policy)
        self.keys.add(question_key(request, setting, ports))

        def judge():
            self.times += 1
            return self.change(run(request, ports))

        return remembered(request, setting, ports, judge)


@pytest.mark.parametrize(("after", "ends"), [(HARMFUL, Exit.VIOLATED), ((*CLEAN, *MORE), Exit.OK)])
def test_the_same_question_gets_the_same_verdict_without_reading_a_row(after, ends):
    judge = Judge()
    first = judge(after)
    judge.bench.parsed.clear()
    calls = dict(judge.bench.backend.calls)
    again = judge(after)
    assert first.exit is again.exit is ends
    assert again == replace(first, rows_cached=first.rows_after)
    assert judge.times == 1
    assert not judge.bench.parsed
    assert judge.bench.backend.calls == calls


def test_a_limit_that_changes_is_judged_anew_from_the_readings_that_are_known():
    judge = Judge()
    assert judge().exit is Exit.VIOLATED
    calls = dict(judge.bench.backend.calls)
    generous = policy(rules=(replace(policy().rules[0], fail_delta=1.0, warn_delta=1.0),))
    assert judge(asked=generous).exit is Exit.OK
    assert judge.times == 2
    assert judge.bench.backend.calls["tune"] == calls["tune"]


RULE = policy().rules[0]
WAIVER = Waiver("panda", 9.0, "@owner", "@other", "because", "2999-01-01", paths=("data/**",))
OTHERS = {
    "a row": {"after": (*HARMFUL, ("a", "b"))},
    "a target": {"asked": policy(rules=(replace(RULE, target="tiger"),))},
    "an owner": {"asked": policy(rules=(replace(RULE, owner="@me"),))},
    "the method": {"asked": policy(method=replace(policy().method, seed=7))},
    "what is shown": {"asked": policy(show_samples="none")},
    "the context": {"context": "hook"},
    "a waiver": {"waivers": Waivers((WAIVER,), "2024-01-01")},
    "the day": {"waivers": Waivers((), "2024-01-02")},
    "the program": {"setting": replace(SETTING, program="newer")},
    "how states are named": {"setting": replace(SETTING, mode="range")},
    "a file beside the policy": {"setting": replace(SETTING, beside=())},
}


@pytest.mark.parametrize("other", OTHERS)
def test_another_question_is_judged_anew(other):
    judge = Judge()
    judge()
    judge(**OTHERS[other])
    assert judge.times == 2
    judge()
    judge(**OTHERS[other])
    assert judge.times == 2


def test_model_probes_and_version_are_part_of_the_question():
    bench = Bench()
    state = bench.snapshot("a", {DATA: jsonl(*CLEAN)})
    request = Request(Scope(state, state), policy(), "ci")
    ports = bench.ports(policy())
    probe = ports.probes("bias/animals")
    changed = {
        "none": ports,
        "version": replace(ports, version="1"),
        "probe": replace(ports, probes=lambda reference: replace(probe, digest="other")),
        "model": replace(ports, backend=type("Other", (), {"card": replace(ports.backend.card, revision="other")})()),
    }
    assert len({question_key(request, SETTING, one) for one in changed.values()}) == len(changed)
    assert question_key(request, SETTING, ports) == question_key(request, SETTING, bench.ports(policy()))


PASSING = {
    "an error": lambda verdict: replace(
        verdict, findings=tuple(replace(one, status=Status.ERROR) for one in verdict.findings)
    ),
    "a failed control": lambda verdict: replace(verdict, controls=(Control("canary", False, "silent"),)),
    "time was up": lambda verdict: replace(verdict, seconds=Budget().seconds),
    "left to CI": lambda verdict: replace(verdict, deferred="no model"),
    "answers that could not be had": lambda verdict: replace(
        verdict, notes=(*verdict.notes, f"a-rule: its answers {UNHAD} (the server was restarted)")
    ),
    "rows to blame that could not be had": lambda verdict: replace(
        verdict, findings=tuple(replace(one, reason=f"late (the rows to blame {UNHAD}: x)") for one in verdict.findings)
    ),
    "blame that could not be had": lambda verdict: replace(
        verdict, findings=tuple(replace(one, blame=()) for one in verdict.findings)
    ),
}


@pytest.mark.parametrize("why", PASSING)
def test_what_may_end_otherwise_next_time_is_not_remembered(why):
    judge = Judge()
    judge.change = PASSING[why]
    judge()
    judge()
    assert judge.times == 2


def test_a_check_that_took_its_whole_budget_is_not_remembered_though_its_first_part_did_not():
    judge = Judge(Bench(clock=iter(range(0, 10**9, 400)).__next__))
    judge.change = lambda verdict: replace(verdict, seconds=1.0)
    judge()
    judge()
    assert judge.times == 2


def test_what_more_measuring_would_not_decide_is_remembered():
    judge = Judge()
    judge.change = lambda verdict: replace(
        verdict, findings=tuple(replace(one, status=Status.INCONCLUSIVE) for one in verdict.findings)
    )
    assert judge().findings[0].status is Status.INCONCLUSIVE
    assert judge().findings[0].status is Status.INCONCLUSIVE
    assert judge.times == 1


def test_rows_behind_a_pointer_are_looked_for_every_time():
    judge = Judge()
    for _ in range(2):
        judge(setting=replace(SETTING, holds_its_rows=lambda file: False))
    assert judge.times == 2


def test_nothing_is_remembered_of_a_check_that_ends_in_an_error():
    judge = Judge()

    def broken(verdict):
        raise EvaluationError("no memory")

    judge.change = broken
    with pytest.raises(EvaluationError):
        judge()
    judge.change = lambda verdict: verdict
    assert judge().exit is Exit.VIOLATED
    assert judge.times == 2


@pytest.mark.parametrize("damage", [7, {}, {"schema": "d2b-gate.result/1"}, [None]])
def test_a_damaged_entry_is_no_verdict(damage):
    judge = Judge()
    first = judge()
    for key in judge.keys:
        judge.bench.store.put_json(KIND, key, damage)
    assert judge().findings == first.findings
    assert judge.times == 2


def test_shipped_calibrations_change_with_the_program():
    """They are no part of the key by themselves: they ship with the code, whose every file is."""
    from d2b_gate.cli.judging import _stamps

    shipped = sorted((pack_root() / "calibration").glob("*.json"))
    assert shipped
    stamped = "".join(_stamps(str(pack_root())))
    for file in shipped:
        assert read_calibration(file.read_text(encoding="utf-8"), file.name)
        assert str(file) in stamped


def test_a_verdict_whose_guard_could_not_look_is_not_remembered():
    judge = Judge()
    judge.change = lambda verdict: replace(verdict, notes=(*verdict.notes, f"{UNLOOKED} (out of memory)"))
    judge()
    judge()
    assert judge.times == 2
