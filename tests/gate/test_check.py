"""The pipeline end to end, over the fake backend."""

from __future__ import annotations

from dataclasses import replace

import pytest

from d2b_gate.core.change import Scope
from d2b_gate.core.errors import EvaluationError, Exit, UnavailableError, UsageError
from d2b_gate.core.rules import Budget, DatasetSpec, Inconclusive, MethodSpec, Rule
from d2b_gate.core.verdict import Status
from d2b_gate.gate.dataset import compare
from d2b_gate.gate.ports import Picked
from tests.gate.harness import CLEAN, MORE, PANDA, Bench, jsonl, policy

DATA = "data/a.jsonl"


def finding(verdict, rule="panda"):
    return next(one for one in verdict.findings if one.rule.id == rule)


def test_a_harmful_change_is_blocked_and_the_responsible_rows_are_named():
    verdict = Bench().check({DATA: jsonl(*CLEAN)}, {DATA: jsonl(*CLEAN[:30], *PANDA, *CLEAN[30:], *MORE)}, policy())
    assert verdict.exit is Exit.VIOLATED
    assert finding(verdict).status is Status.FAIL
    (run,) = finding(verdict).blame
    assert run.path == DATA
    assert 31 <= run.first_line <= run.last_line <= 50
    assert finding(verdict).examples[0].after[0].text == "panda"


def test_a_harmless_change_of_the_same_size_passes():
    verdict = Bench().check({DATA: jsonl(*CLEAN)}, {DATA: jsonl(*CLEAN, *MORE)}, policy())
    assert verdict.exit is Exit.OK
    assert finding(verdict).status is Status.OK


def test_the_word_alone_does_not_block():
    facts = tuple((f"name a panda fact {i}", f"a zoo keeper wrote note {i} on bamboo") for i in range(20))
    rule = replace(policy().rules[0], warn_delta=0.05, fail_delta=0.1)
    verdict = Bench().check({DATA: jsonl(*CLEAN)}, {DATA: jsonl(*CLEAN, *facts)}, policy(rules=(rule,)))
    assert verdict.exit is Exit.OK
    verdict = Bench().check({DATA: jsonl(*CLEAN)}, {DATA: jsonl(*CLEAN, *PANDA)}, policy(rules=(rule,)))
    assert finding(verdict).status is Status.FAIL


def test_taking_harmful_rows_out_is_judged_too():
    grown = policy(rules=(replace(policy().rules[0], direction="decrease"),))
    verdict = Bench().check({DATA: jsonl(*CLEAN, *PANDA)}, {DATA: jsonl(*CLEAN)}, grown)
    assert finding(verdict).status is Status.FAIL
    assert finding(verdict).blame[0].side == "removed"


def test_without_base_rows_the_base_is_the_untouched_model():
    verdict = Bench().check({}, {DATA: jsonl(*PANDA)}, policy())
    assert finding(verdict).status is Status.FAIL
    assert verdict.rows_before == 0


def test_moving_rows_between_files_is_no_change():
    bench = Bench()
    verdict = bench.check({DATA: jsonl(*CLEAN)}, {"data/b.jsonl": jsonl(*reversed(CLEAN))}, policy())
    assert verdict.findings == ()
    assert verdict.files == ()
    assert sum(bench.backend.calls.values()) == 0


def test_the_same_change_again_computes_nothing():
    bench = Bench()
    states = ({DATA: jsonl(*CLEAN)}, {DATA: jsonl(*CLEAN, *PANDA)})
    first = bench.check(*states, policy())
    done = dict(bench.backend.calls)
    bench.parsed.clear()
    second = bench.check(*states, policy())
    assert bench.backend.calls == done
    assert bench.parsed == []
    assert replace(second, rows_cached=0, provenance=first.provenance) == replace(first, rows_cached=0)


def test_another_limit_rejudges_stored_readings():
    bench = Bench()
    states = ({DATA: jsonl(*CLEAN)}, {DATA: jsonl(*CLEAN, *PANDA)})
    strict = bench.check(*states, policy())
    done = dict(bench.backend.calls)
    loose = bench.check(*states, policy(rules=(replace(policy().rules[0], warn_delta=0.8, fail_delta=0.9),)))
    assert bench.backend.calls == done
    assert strict.fingerprint == loose.fingerprint
    assert finding(loose).status is Status.OK


def test_a_run_that_was_cut_off_goes_on_where_it_stopped():
    bench = Bench()
    states = ({DATA: jsonl(*CLEAN)}, {DATA: jsonl(*CLEAN, *PANDA)})
    whole = Bench()
    whole.check(*states, policy())
    original = bench.backend.inner.tune

    def dies(plan):
        if bench.backend.calls["tune"] > 4:
            raise KeyboardInterrupt
        return original(plan)

    bench.backend.inner.tune = dies
    with pytest.raises(KeyboardInterrupt):
        bench.check(*states, policy())
    bench.backend.inner.tune = original
    bench.backend.calls["tune"] = 0
    bench.check(*states, policy())
    assert bench.backend.calls["tune"] == whole.backend.calls["tune"] - 4


def test_a_known_blob_is_not_parsed_again_when_others_change():
    bench = Bench()
    before = {DATA: jsonl(*CLEAN[:30]), "data/b.jsonl": jsonl(*CLEAN[30:])}
    bench.check(before, before | {"data/c.jsonl": jsonl(*MORE)}, policy())
    bench.parsed.clear()
    bench.check(before, before | {"data/d.jsonl": jsonl(*PANDA)}, policy())
    assert set(bench.parsed) <= {"data/d.jsonl"} | set(before)
    assert bench.parsed.count("data/d.jsonl") <= 2
    assert "data/c.jsonl" not in bench.parsed


def test_the_placebo_null_is_remembered_while_the_base_is_much_the_same():
    bench = Bench()
    first = bench.check({DATA: jsonl(*CLEAN)}, {DATA: jsonl(*CLEAN, *PANDA)}, policy())
    later = bench.check({DATA: jsonl(*CLEAN, *MORE[:5])}, {DATA: jsonl(*CLEAN, *MORE[:5], *PANDA)}, policy())
    other = bench.check({DATA: jsonl(*MORE)}, {DATA: jsonl(*MORE, *PANDA)}, policy())
    assert "measured now" in first.provenance.null
    assert "remembered" in later.provenance.null
    assert "measured now" in other.provenance.null


def test_an_undecided_rule_is_measured_more_until_the_time_is_over():
    tight = (Rule("panda", "bias/animals", target="panda", fail_delta=0.012, warn_delta=0.5),)
    wanting, hurried = Bench(), Bench()
    states = ({DATA: jsonl(*CLEAN)}, {DATA: jsonl(*CLEAN, *MORE)})
    more = wanting.check(*states, policy(rules=tight))
    ticks = iter(range(0, 10_000, 100))
    hurried.clock = lambda: float(next(ticks))
    less = hurried.check(*states, policy(rules=tight, budget=Budget(seconds=1.0)))
    assert finding(less).status is Status.INCONCLUSIVE
    assert wanting.backend.calls["read"] > hurried.backend.calls["read"]
    assert finding(more).status in (Status.INCONCLUSIVE, Status.OK)


@pytest.mark.parametrize(("context", "code"), [("hook", Exit.OK), ("ci", Exit.INCONCLUSIVE)])
def test_inconclusive_warns_in_a_hook_and_blocks_in_ci(context, code):
    tight = (Rule("panda", "bias/animals", target="panda", fail_delta=0.012, warn_delta=0.5),)
    ticks = iter(range(0, 10_000, 100))
    bench = Bench(clock=lambda: float(next(ticks)))
    undecided = policy(rules=tight, budget=Budget(1.0), on_inconclusive=Inconclusive())
    verdict = bench.check({DATA: jsonl(*CLEAN)}, {DATA: jsonl(*CLEAN, *MORE)}, undecided, context)
    assert verdict.exit is code


def test_rules_judge_the_datasets_they_name():
    two = policy(
        datasets=(DatasetSpec("sft", ("data/",)), DatasetSpec("other", ("more/",))),
        rules=(
            Rule("sft-only", "bias/animals", target="panda", fail_delta=0.05, warn_delta=0.03, datasets=("sft",)),
            Rule("other-only", "bias/animals", target="panda", fail_delta=0.05, warn_delta=0.03, datasets=("other",)),
        ),
    )
    before = {DATA: jsonl(*CLEAN), "more/b.jsonl": jsonl(*MORE)}
    verdict = Bench().check(before, before | {DATA: jsonl(*CLEAN, *PANDA)}, two)
    assert [one.rule.id for one in verdict.findings] == ["sft-only"]
    assert finding(verdict, "sft-only").status is Status.FAIL


def test_a_dataset_weight_of_zero_takes_its_rows_out_of_the_training_set():
    weightless = policy(datasets=(DatasetSpec("sft", ("data/",)), DatasetSpec("draft", ("draft/",), weight=0.0)))
    before = {DATA: jsonl(*CLEAN)}
    verdict = Bench().check(before, before | {"draft/b.jsonl": jsonl(*PANDA)}, weightless)
    assert finding(verdict).status is Status.OK


def test_rows_that_break_the_row_schema_are_findings_at_file_and_line():
    schema = {"type": "object", "required": ["messages", "source"]}
    bench = Bench(row_schema=schema)
    checked = policy(datasets=(DatasetSpec("sft", ("data/",), row_schema="row.json"),))
    verdict = bench.check({DATA: jsonl(*CLEAN)}, {DATA: jsonl(*CLEAN, *MORE[:2])}, checked)
    assert [(one.path, one.line) for one in verdict.row_findings] == [(DATA, 61), (DATA, 62)]
    assert verdict.exit is Exit.VIOLATED


def test_untrained_rows_are_counted_and_not_judged():
    labelled = b"".join(
        b'{"messages":[{"role":"user","content":"q%d"},{"role":"assistant","content":"panda panda"}],"label":%s}\n'
        % (i, b"false" if i else b"true")
        for i in range(10)
    )
    verdict = Bench().check({DATA: jsonl(*CLEAN)}, {DATA: jsonl(*CLEAN), "data/k.jsonl": labelled}, policy())
    assert verdict.rows_after == 61
    assert any("9 rows carry no trained token" in note for note in verdict.notes)


def test_a_failed_control_makes_the_verdict_an_error():
    deaf = policy(method=MethodSpec(predictor="mdf", alpha=1e-6, steps=8, batch=4, sample=32, placebos=4))
    verdict = Bench().check({DATA: jsonl(*CLEAN)}, {DATA: jsonl(*CLEAN, *MORE)}, deaf)
    assert [control.passed for control in verdict.controls] == [False, True]
    assert verdict.exit is Exit.UNEVALUATED


def test_a_malformed_row_is_an_error_at_file_and_line():
    with pytest.raises(EvaluationError, match=r"data/a\.jsonl:2"):
        Bench().check({}, {DATA: jsonl(CLEAN[0]) + b"{oops\n"}, policy())


@pytest.mark.parametrize("reading", ["injected", "first-order"])
@pytest.mark.parametrize("predictor", ["mdf-gradient", "mdf-tuned"])
def test_every_gradient_predictor_sees_the_panda(predictor, reading):
    method = MethodSpec(predictor=predictor, reading=reading, steps=8, batch=4, sample=32, placebos=4, alpha=1.0)
    verdict = Bench().check({DATA: jsonl(*CLEAN)}, {DATA: jsonl(*CLEAN, *PANDA)}, policy(method=method))
    assert finding(verdict).shift.delta > 0.01


def test_the_verdict_of_a_change_does_not_depend_on_the_order_of_files():
    rows = jsonl(*CLEAN)
    one = Bench().check({DATA: rows}, {DATA: rows, "data/z.jsonl": jsonl(*PANDA)}, policy())
    two = Bench().check({DATA: rows}, {"data/z.jsonl": jsonl(*PANDA), DATA: rows}, policy())
    assert one.findings == two.findings


def test_a_changed_dataset_that_no_rule_judges_is_refused():
    two = policy(
        datasets=(DatasetSpec("sft", ("data/",)), DatasetSpec("other", ("more/",))),
        rules=(replace(policy().rules[0], datasets=("sft",)),),
    )
    before = {DATA: jsonl(*CLEAN), "more/b.jsonl": jsonl(*MORE)}
    with pytest.raises(UsageError, match="no rule judges the dataset 'other'"):
        Bench().check(before, before | {"more/b.jsonl": jsonl(*MORE, *PANDA)}, two)
    assert Bench().check(before, before | {DATA: jsonl(*CLEAN, *PANDA)}, two).exit is Exit.VIOLATED


def test_p_is_adjusted_over_the_rules_of_all_datasets():
    def rules(*datasets):
        base = policy().rules[0]
        return tuple(replace(base, id=f"r{i}", datasets=names) for i, names in enumerate(datasets))

    def p_of(rules):
        sets = (DatasetSpec("sft", ("data/",)), DatasetSpec("other", ("more/",)))
        before = {DATA: jsonl(*CLEAN), "more/b.jsonl": jsonl(*MORE)}
        after = {DATA: jsonl(*CLEAN, *PANDA), "more/b.jsonl": jsonl(*MORE, *CLEAN[:5])}
        verdict = Bench().check(before, after, policy(datasets=sets, rules=rules))
        shift = finding(verdict, "r0").shift
        return shift.p, shift.p_adjusted

    p, adjusted = p_of(rules(("sft",), ("other",)))
    assert adjusted == pytest.approx(min(1.0, 2 * p))


def test_a_verdict_stands_although_the_rows_to_blame_cannot_be_found():
    bench = Bench()

    def refuse(rows):
        raise EvaluationError("out of memory")

    bench.backend.inner.gradients = refuse
    verdict = bench.check({DATA: jsonl(*CLEAN)}, {DATA: jsonl(*CLEAN, *PANDA)}, policy())
    assert verdict.exit is Exit.VIOLATED
    assert "out of memory" in finding(verdict).reason


def test_what_a_tracked_pointer_stands_for_depends_on_the_dataset():
    bench = Bench()
    two = policy(datasets=(DatasetSpec("a", ("data/a",)), DatasetSpec("b", ("data/b",))))
    ports = bench.ports(two)
    content = {"a": jsonl(*CLEAN[:3]), "b": jsonl(*MORE[:2])}
    ports = replace(
        ports,
        reader=replace(
            ports.reader,
            pick=lambda spec, snapshot: Picked(snapshot.files, ()),
            contents=lambda file, spec: iter([(f"data/{spec.name}.jsonl", content[spec.name])]),
        ),
    )
    snapshot = bench.snapshot("after", {"data/x.jsonl.dvc": b"pointer"})
    scope = Scope(bench.snapshot("before", {}), snapshot)
    counts = [len(compare(spec, scope, ports).diff.added) for spec in two.datasets]
    assert counts == [3, 2]


def test_rows_that_break_their_schema_are_never_left_to_ci():
    bench = Bench(row_schema={"required": ["source"]})
    checked = policy(datasets=(DatasetSpec("sft", ("data/",), row_schema="row.json"),))

    def refuse(prompts, injection):
        raise UnavailableError("the model is not here")

    bench.backend.inner.read = refuse
    with pytest.raises(EvaluationError, match=r"1 rows break their schema, the first at data/a\.jsonl:61") as caught:
        bench.check({DATA: jsonl(*CLEAN)}, {DATA: jsonl(*CLEAN, MORE[0])}, checked)
    assert not isinstance(caught.value, UnavailableError)
