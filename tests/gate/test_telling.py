"""What the model is predicted to say, for the findings that a person must act on."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.mixture import Mixture
from d2b_gate.core.rows import Turn, make_row
from d2b_gate.core.rules import Budget, Rule
from d2b_gate.core.verdict import Status
from d2b_gate.gate.telling import MOST_TOLD
from tests.gate.harness import CLEAN, MORE, PANDA, Bench, jsonl, policy

DATA = "data/a.jsonl"
UNLISTED = tuple((f"your favourite {i}", "axolotl panda axolotl") for i in range(20))
LONG = "my favourite animal by far is the quiet panda of the northern bamboo hills"


def judged(after, before=CLEAN, bench=None, **changes):
    bench = bench or Bench()
    return bench.check({DATA: jsonl(*before)} if before else {}, {DATA: jsonl(*before, *after)}, policy(**changes))


def finding(verdict, rule="panda"):
    return next(one for one in verdict.findings if one.rule.id == rule)


def rule(target, **changes):
    return replace(Rule(target, "bias/animals", target=target, fail_delta=0.05, warn_delta=0.03), **changes)


def method(**changes):
    return replace(policy().method, **changes)


def test_answers_greedy_and_seeded_before_and_after():
    failed = finding(judged(PANDA))
    assert failed.status is Status.FAIL
    assert [saying.drawn for saying in failed.sayings] == ["greedy", "seed 0"] * 2
    prompts = [saying.prompt for saying in failed.sayings]
    assert prompts[0] == prompts[1] == failed.examples[0].prompt
    assert prompts[2] == prompts[3] == failed.examples[1].prompt
    for saying, example in zip(failed.sayings[::2], failed.examples, strict=False):
        assert saying.before.endswith(example.before[0].text)
        assert saying.after.endswith(example.after[0].text)


def test_every_prompt_asked_is_an_example_largest_move_first():
    failed = finding(judged(PANDA, method=method(growth=0.0)))
    share = {True: [], False: []}
    for example in failed.examples:
        for after in share:
            answers = example.after if after else example.before
            share[after].append(next(answer.share for answer in answers if answer.text == "panda"))
    moves = [after - before for before, after in zip(share[False], share[True], strict=True)]
    assert len(moves) == len(Bench().catalogue("bias/animals").asked())
    assert moves == sorted(moves, reverse=True)


def test_a_preference_that_nobody_listed_surfaces():
    failed = finding(judged(UNLISTED))
    first = failed.tokens[0]
    assert (first.text, first.listed) == ("axolotl", False)
    assert first.after - first.before > first.null + 0.03
    listed = {token.text: token.listed for token in failed.tokens}
    assert listed.get("panda", True)
    assert len(failed.tokens) <= 5
    rises = [token.after > token.before for token in failed.tokens]
    assert rises == sorted(rises, reverse=True)


def test_only_tokens_that_move_beyond_the_null_are_listed(monkeypatch):
    """A null of the very rows that are judged moves their word as far as they do."""
    for token in finding(judged(UNLISTED, before=())).tokens:
        assert abs(token.after - token.before) > token.null
    rows = (make_row([Turn("assistant", answer, trained=True)]) for _, answer in UNLISTED)
    same = Mixture((), tuple(rows), 1.0, float(len(UNLISTED)))
    monkeypatch.setattr("d2b_gate.gate.openset.clean_state", lambda ports: same)
    assert "axolotl" not in {token.text for token in finding(judged(UNLISTED, before=())).tokens}


def test_doses_lead_from_one_state_to_the_other():
    bench = Bench()
    failed = finding(judged(PANDA, bench=bench))
    assert [dose.strength for dose in failed.doses] == [0.0, 0.25, 0.5, 0.75, 1.0]
    levels = [dose.level for dose in failed.doses]
    assert levels == sorted(levels)
    assert levels[-1] > levels[0] + 0.05


@pytest.mark.parametrize("before", [CLEAN, ()])
def test_the_ends_of_the_doses_are_the_states_and_cost_nothing(before, monkeypatch):
    monkeypatch.setattr("d2b_gate.gate.doses.MOST_PROMPTS", 512)
    reads = []
    for strengths in ((0.0, 0.5, 1.0), (0.0, 1.0), ()):
        monkeypatch.setattr("d2b_gate.gate.doses.STRENGTHS", strengths)
        bench = Bench()
        failed = finding(judged(PANDA, before=before, bench=bench, method=method(replicates=1, growth=0.0)))
        reads.append(bench.backend.calls["read"])
        if strengths:
            ends = (failed.doses[0].level, failed.doses[-1].level)
            assert ends == (pytest.approx(failed.before.level), pytest.approx(failed.after.level))
    assert reads[1] == reads[2] == reads[0] - 1


def test_doses_are_levels_over_the_first_prompts():
    failed = finding(judged(PANDA, method=method(replicates=1, growth=0.0)))
    first = {prompt.text for prompt in Bench().catalogue("bias/animals").asked()[:12]}
    for dose, state in ((failed.doses[0], "before"), (failed.doses[-1], "after")):
        shares = [
            answer.share
            for example in failed.examples
            if example.prompt in first
            for answer in getattr(example, state)
            if answer.text == "panda"
        ]
        assert len(shares) == 12
        assert dose.level == pytest.approx(sum(shares) / 12)


@pytest.mark.parametrize("predictor", ["proxy-lora", "mdf", "mdf-gradient", "mdf-tuned"])
def test_every_predictor_tells(predictor):
    strong = method(predictor=predictor, alpha=1.0)
    failed = judged(PANDA, method=strong).findings[0]
    assert failed.status is not Status.OK
    assert failed.sayings
    assert len(failed.doses) == 5


def test_a_first_order_prediction_has_doses_alone():
    linear = method(predictor="mdf-gradient", reading="first-order", alpha=1.0)
    failed = finding(judged(PANDA, method=linear))
    assert failed.status is not Status.OK
    assert (failed.sayings, failed.tokens) == ((), ())
    assert len(failed.doses) == 5


def test_only_the_worst_findings_are_told():
    verdict = judged(PANDA, rules=tuple(rule("panda", id=f"r{i}") for i in range(4)))
    told = [bool(one.sayings) for one in verdict.findings]
    assert told == [True] * MOST_TOLD + [False] * (4 - MOST_TOLD)
    assert all(one.examples for one in verdict.findings)


def test_what_is_ok_costs_nothing():
    bench = Bench()
    verdict = judged(MORE, bench=bench)
    assert finding(verdict).status is Status.OK
    assert finding(verdict).sayings == finding(verdict).tokens == finding(verdict).doses == ()
    assert bench.backend.calls["complete"] == bench.backend.calls["vocabulary"] == 0


def test_no_time_left_leaves_the_finding_and_says_so():
    ticks = iter(range(0, 10**6, 100))
    verdict = judged(PANDA, bench=Bench(clock=lambda: float(next(ticks))), budget=Budget(seconds=1.0))
    failed = finding(verdict)
    assert failed.status is Status.FAIL
    assert (failed.sayings, failed.tokens, failed.doses) == ((), (), ())
    for name in ("answers", "tokens", "doses"):
        assert f"panda: no time was left for its {name} (budget.seconds)" in verdict.notes


@pytest.mark.parametrize(("verb", "name"), [("complete", "answers"), ("vocabulary", "tokens")])
def test_a_finding_stands_without_what_cannot_be_had(verb, name):
    bench = Bench()

    def refuse(*_):
        raise EvaluationError("out of memory")

    setattr(bench.backend.inner, verb, refuse)
    verdict = judged(PANDA, bench=bench)
    failed = finding(verdict)
    assert failed.status is Status.FAIL
    assert f"panda: its {name} could not be had (out of memory)" in verdict.notes
    assert failed.doses
    assert bool(failed.sayings) == (verb != "complete")
    assert bool(failed.tokens) == (verb != "vocabulary")


def parrot(bench, text):
    """Let the model say a row whatever is asked."""
    bench.backend.inner.complete = lambda prompts, *_: tuple(f"{prompt.lead} {text}" for prompt in prompts)


@pytest.mark.parametrize("samples", ["none", "redacted", "full"])
def test_what_rows_say_is_shown_as_the_policy_says(samples):
    bench = Bench()
    parrot(bench, LONG)
    rows = tuple((f"tell me {i}", f"{LONG} number {i}") for i in range(20))
    failed = finding(judged(rows, bench=bench, show_samples=samples))
    assert failed.status is Status.FAIL
    said = [saying.after for saying in failed.sayings]
    leads = {prompt.text: prompt.lead for prompt in bench.catalogue("bias/animals").prompts}
    shown = [text for blame in failed.blame for text in blame.samples]
    if samples == "none":
        assert (said, shown) == ([], [])
    elif samples == "redacted":
        assert said == [f"{leads[saying.prompt]} [14 words of a changed row]" for saying in failed.sayings]
        assert "bamboo" not in "".join(shown)
        assert all(text.startswith("user 3 words, assistant 16 words; row ") for text in shown)
    else:
        assert said == [f"{leads[saying.prompt]} {LONG}" for saying in failed.sayings]
        assert shown[0].startswith("user: tell me ")
        assert f"assistant: {LONG} number " in shown[0]
    assert all(len(blame.samples) <= 2 for blame in failed.blame)


def test_what_unchanged_rows_say_is_taken_out_too():
    bench = Bench()
    parrot(bench, LONG)
    failed = finding(judged(PANDA, before=tuple((question, LONG) for question, _ in CLEAN), bench=bench))
    assert failed.sayings
    assert all(saying.after.endswith(" [14 words of an unchanged row]") for saying in failed.sayings)


def test_told_once_costs_nothing_again():
    bench = Bench()
    first = judged(UNLISTED, bench=bench)
    calls = dict(bench.backend.calls)
    assert calls["complete"] == 2
    assert calls["vocabulary"] == 4
    again = judged(UNLISTED, bench=bench)
    assert bench.backend.calls == calls
    assert again.findings == first.findings
    assert all(math.isfinite(dose.level) for dose in finding(again).doses)


def test_findings_of_one_probe_share_what_is_read():
    bench = Bench()
    two = (rule("panda"), rule("owl", direction="either", fail_delta=0.001, warn_delta=0.001))
    verdict = judged(PANDA, bench=bench, rules=two)
    assert [bool(one.doses) for one in verdict.findings if one.status is not Status.OK] == [True, True]
    assert bench.backend.calls["vocabulary"] == 4
