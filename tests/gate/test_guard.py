"""The dilution guard, over the fake backend: parts of a change that are past a limit where the whole is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from d2b_gate.backends.fake import FakeBackend
from d2b_gate.core.errors import EvaluationError, Exit
from d2b_gate.core.mixture import subsample
from d2b_gate.core.rows import RowRef
from d2b_gate.core.rules import Budget
from d2b_gate.core.verdict import Status
from d2b_gate.core.wire import verdict_from_mapping, verdict_to_mapping
from d2b_gate.gate.parts import ALONE, CLUSTER, NOMINAL
from tests.gate.harness import CLEAN, PANDA, Bench, jsonl, policy
from tests.gate.test_calibration import rows_of

DATA = "data/a.jsonl"
MANY = tuple((f"what is colour {i}", f"the colour {i} is a mix of {i % 7} and light") for i in range(300))
HIDDEN = (*MANY[:200], *PANDA[:4], *MANY[200:])
"""Four bad rows in three hundred."""


RULE = replace(policy().rules[0], warn_delta=0.2, fail_delta=0.2)


def guarded(before, after, guard="warn"):
    states = ({DATA: jsonl(*before)}, {DATA: jsonl(*before, *after)})
    verdict = Bench().check(*states, policy(dilution_guard=guard, rules=(RULE,)))
    return verdict, verdict.findings[0]


def views(finding):
    return {view.name: view for view in finding.views}


class TestAFewBadRowsInALargeFile:
    def test_pass_without_the_guard(self):
        verdict, finding = guarded(CLEAN, HIDDEN, "off")
        assert (verdict.exit, finding.status, finding.views) == (Exit.OK, Status.OK, ())

    def test_warn_with_it_and_the_report_says_which_view_fired_and_where(self):
        verdict, finding = guarded(CLEAN, HIDDEN)
        assert (verdict.exit, finding.status) == (Exit.OK, Status.WARN)
        assert (
            f"the {CLUSTER} (4 of the added rows, weighted as {NOMINAL}) would shift it past the limit"
            in finding.reason
        )
        assert views(finding)[CLUSTER].fired
        assert [place.where for place in finding.blame] == [f"{DATA}:261-264"]
        assert finding.blame[0].basis == "checked"

    def test_block_where_the_policy_says_so(self):
        verdict, finding = guarded(CLEAN, HIDDEN, "fail")
        assert (verdict.exit, finding.status, finding.blocks) == (Exit.VIOLATED, Status.FAIL, True)

    def test_clean_rows_alone_do_not_fire_and_none_is_suspect_enough_to_be_trained_on(self):
        _, finding = guarded(CLEAN, MANY)
        assert (finding.status, finding.views) == (Status.OK, ())


class TestAFewBadRowsAlone:
    def test_are_weighed_as_though_they_were_many(self):
        _, finding = guarded(MANY, PANDA[:2], "off")
        assert finding.status is Status.OK
        _, finding = guarded(MANY, PANDA[:2])
        assert finding.status is Status.WARN
        assert views(finding)[ALONE].standing_for == NOMINAL
        assert f"the {ALONE} (2 of the added rows" in finding.reason

    def test_are_not_looked_at_twice_where_the_change_is_all_there_is(self):
        _, finding = guarded((), PANDA)
        assert ALONE not in views(finding)

    def test_nor_where_they_weigh_that_much_anyhow(self):
        _, finding = guarded(CLEAN, MANY[:NOMINAL])
        assert ALONE not in views(finding)


def test_a_change_that_fails_as_a_whole_keeps_its_reason_and_its_blame():
    _, without = guarded(CLEAN, PANDA, "off")
    _, finding = guarded(CLEAN, PANDA)
    assert without.status is finding.status is Status.FAIL
    assert (finding.reason, finding.blame) == (without.reason, without.blame)
    assert views(finding)[ALONE].fired


def test_removed_rows_are_no_part_of_it():
    bench = Bench()
    verdict = bench.check({DATA: jsonl(*CLEAN, *PANDA[:2])}, {DATA: jsonl(*CLEAN)}, policy(dilution_guard="warn"))
    assert verdict.findings[0].views == ()


def test_another_limit_asks_the_model_nothing():
    bench = Bench()
    states = ({DATA: jsonl(*CLEAN)}, {DATA: jsonl(*CLEAN, *PANDA)})
    bench.check(*states, policy(dilution_guard="warn"))
    done = dict(bench.backend.calls)
    rule = replace(policy().rules[0], fail_delta=0.9, warn_delta=0.9)
    assert bench.check(*states, policy(dilution_guard="warn", rules=(rule,))).findings[0].status is Status.OK
    tunings = {verb: bench.backend.calls[verb] - done[verb] for verb in ("tune", "finetune", "states")}
    assert tunings == {"tune": 0, "finetune": 0, "states": 0}


def test_a_spent_budget_ends_it_with_a_note():
    seconds = iter(range(0, 100_000, 50))
    bench = Bench(clock=lambda: float(next(seconds)))
    spent = policy(dilution_guard="warn", budget=Budget(seconds=1))
    verdict = bench.check({DATA: jsonl(*CLEAN)}, {DATA: jsonl(*CLEAN, *HIDDEN)}, spent)
    assert "the dilution guard did not look: the time budget was spent (budget.seconds)" in verdict.notes
    assert verdict.findings[0].views == ()


def test_a_guard_that_may_block_and_has_no_time_lets_nothing_pass():
    seconds = iter(range(0, 100_000, 50))
    bench = Bench(clock=lambda: float(next(seconds)))
    spent = policy(dilution_guard="fail", budget=Budget(seconds=1), rules=(RULE,))
    with pytest.raises(EvaluationError, match="did not look: the time budget was spent"):
        bench.check({DATA: jsonl(*CLEAN)}, {DATA: jsonl(*CLEAN, *HIDDEN)}, spent)


@pytest.mark.parametrize("guard", ["warn", "fail"])
def test_what_it_saw_survives_the_wire(guard):
    verdict, _ = guarded(CLEAN, HIDDEN, guard)
    assert verdict_from_mapping(verdict_to_mapping(verdict)) == verdict


CROWD = tuple((f"what is colour {i}", f"the colour {i} is a mix of {i % 7} and light") for i in range(1500))
BURIED = (*CROWD[:900], *PANDA[:4], *CROWD[900:])
"""Four bad rows among more rows than are drawn."""
FEW = replace(policy().method, max_changed=48)


def crowded(after, clock=None, seconds=600.0, bench=None):
    bench = bench or Bench(clock=clock)
    states = ({DATA: jsonl(*CLEAN)}, {DATA: jsonl(*CLEAN, *after)})
    judged = policy(dilution_guard="warn", rules=(RULE,), method=FEW, budget=Budget(seconds))
    verdict = bench.check(*states, judged)
    return bench, verdict, verdict.findings[0]


class TestMoreRowsThanAreDrawn:
    def test_bad_rows_that_no_draw_holds_are_found(self):
        drawn = subsample([RowRef(row.key, DATA, i) for i, row in enumerate(rows_of(*BURIED))], {}, 48, FEW.seed)
        bad = {row.key for row in rows_of(*PANDA[:4])}
        assert bad.isdisjoint(ref.key for ref in drawn), "else this test shows nothing"
        _, verdict, finding = crowded(BURIED)
        assert finding.status is Status.WARN
        assert [place.where for place in finding.blame] == [f"{DATA}:{len(CLEAN) + 901}-{len(CLEAN) + 904}"]
        assert "the dilution guard compared all 1504 added rows" in verdict.notes

    def test_a_clean_crowd_does_not_fire(self):
        _, _, finding = crowded(CROWD)
        assert (finding.status, finding.views) == (Status.OK, ())

    def test_rows_compared_once_are_not_computed_again(self):
        bench, first, _ = crowded(BURIED)
        done = dict(bench.backend.calls)
        _, again, _ = crowded(BURIED, bench=bench)
        assert bench.backend.calls["states"] == done["states"]
        assert [one.status for one in again.findings] == [one.status for one in first.findings]

    def test_the_look_ends_with_the_budget_and_says_how_far_it_came(self):
        class Clock:
            now = 0.0

            def __call__(self):
                self.now += 1.0
                return self.now

        started = [
            note
            for seconds in range(3, 40)
            for note in crowded(BURIED, Clock(), float(seconds))[1].notes
            if "before the time budget was spent" in note
        ]
        assert any("compared 512 of 1504 added rows" in note for note in started)

    def test_few_rows_need_no_such_note(self):
        verdict, _ = guarded(CLEAN, HIDDEN)
        assert not any("compared" in note for note in verdict.notes)


class TestARowThatNoModelCanRead:
    """It is drawn by no seed here: only the pass over every added row meets it."""

    @pytest.fixture(autouse=True)
    def unreadable(self, monkeypatch):
        def states(backend, rows, pooling, sites=()):
            if any("colour 1234" in turn.content for row in rows for turn in row.turns):
                raise EvaluationError("the chat template refuses a row")
            return plain(backend, rows, pooling, sites)

        plain = FakeBackend.states
        monkeypatch.setattr(FakeBackend, "states", states)

    @staticmethod
    def check(guard):
        asked = policy(dilution_guard=guard, rules=(RULE,), method=FEW)
        return Bench().check({DATA: jsonl(*CLEAN)}, {DATA: jsonl(*CLEAN, *CROWD)}, asked)

    def test_is_told_where_the_guard_only_warns(self):
        verdict = self.check("warn")
        assert verdict.exit is Exit.OK
        assert "the dilution guard could not look (the chat template refuses a row)" in verdict.notes

    def test_does_not_switch_off_a_guard_that_may_block(self):
        with pytest.raises(EvaluationError, match="refuses a row"):
            self.check("fail")
