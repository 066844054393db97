"""Waivers in the pipeline: applied to what was judged, never part of what is measured."""

from __future__ import annotations

from dataclasses import replace

from d2b_gate.core.change import Scope
from d2b_gate.core.errors import Exit
from d2b_gate.core.rules import DatasetSpec, Rule
from d2b_gate.core.verdict import Status
from d2b_gate.core.waivers import Waiver, Waivers
from d2b_gate.gate.check import run
from d2b_gate.gate.ports import Request
from tests.gate.harness import CLEAN, MORE, PANDA, Bench, jsonl, policy

BEFORE = {"data/a.jsonl": jsonl(*CLEAN)}
AFTER = {"data/a.jsonl": jsonl(*CLEAN, *PANDA)}
WAIVER = Waiver("panda", 1.0, "@o", "@a", "r", "2026-12-01", paths=("data/*.jsonl",), origin="w:3")


def check(bench, *waivers, after=AFTER, judged=None, today="2026-11-21"):
    chosen = judged or policy()
    scope = Scope(bench.snapshot("before", BEFORE), bench.snapshot("after", after))
    return run(Request(scope, chosen, "ci", Waivers(waivers, today)), bench.ports(chosen))


def test_a_waived_finding_keeps_its_numbers_and_the_rows_to_blame():
    bench = Bench()
    plain, waived = check(bench), check(bench, WAIVER)
    assert (plain.exit, waived.exit) == (Exit.VIOLATED, Exit.OK)
    (before,), (after,) = plain.findings, waived.findings
    assert replace(after, status=Status.FAIL, blocks=True, waived_by=()) == before
    assert after.blame
    assert after.waived_by == (WAIVER,)
    assert plain.fingerprint == waived.fingerprint


def test_a_waiver_judges_again_without_the_model():
    bench = Bench()
    check(bench)
    calls = dict(bench.backend.calls)
    assert check(bench, WAIVER).findings[0].status is Status.WAIVED
    assert bench.backend.calls == calls


def test_only_the_rows_of_the_hash_are_covered():
    bench = Bench()
    waiver = replace(WAIVER, paths=(), rows_hash=check(bench).findings[0].rows_hash)
    assert check(bench, waiver).findings[0].status is Status.WAIVED
    moved = {"data/a.jsonl": jsonl(*PANDA[10:], *CLEAN[::-1]), "data/b.jsonl": jsonl(*PANDA[:10])}
    assert check(bench, waiver, after=moved).findings[0].status is Status.WAIVED, "places do not count"
    more = check(bench, waiver, after={"data/a.jsonl": jsonl(*CLEAN, *PANDA, ("one", "more panda"))})
    assert more.findings[0].status is Status.FAIL
    assert "w:3: the waiver does not cover panda: other rows changed than it is for" in more.notes


def test_a_rule_of_another_dataset_stays_as_it_was():
    sets = (DatasetSpec("sft", ("data/",)), DatasetSpec("more", ("more/",)))
    animal = policy().rules[0]
    rules = (
        replace(animal, datasets=("sft",)),
        Rule("panda-more", "bias/animals", target="panda", fail_delta=0.05, warn_delta=0.03, datasets=("more",)),
    )
    after = {"data/a.jsonl": jsonl(*CLEAN, *PANDA), "more/b.jsonl": jsonl(*PANDA, *MORE)}
    found = check(Bench(), WAIVER, after=after, judged=policy(datasets=sets, rules=rules))
    assert {one.rule.id: one.status for one in found.findings} == {"panda": Status.WAIVED, "panda-more": Status.FAIL}
    hashes = {one.rows_hash for one in found.findings}
    assert len(hashes) == 2
    assert found.exit is Exit.VIOLATED


def test_why_a_waiver_does_not_help_is_told():
    small = replace(WAIVER, max_delta=0.06, paths=("other/*",))
    found = check(Bench(), small, replace(small, expires="2026-01-01"))
    (note,) = [note for note in found.notes if note.startswith("w:3")]
    assert note.startswith(
        "w:3: the waiver does not cover panda: other files changed than it is for; "
        "it covers up to +6.0 pt, and the shift may be larger (+"
    )


def test_what_was_not_used_is_told():
    assert check(Bench(), WAIVER, replace(WAIVER, rule="owl", origin="w:9")).notes[-1] == (
        "not used in this run: the waivers at w:9"
    )
    calm = check(Bench(), WAIVER, after={"data/a.jsonl": jsonl(*CLEAN, *MORE)})
    assert calm.findings[0].status is Status.OK
    assert calm.notes[-1] == "not used in this run: the waivers at w:3"
