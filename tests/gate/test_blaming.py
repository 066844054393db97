"""Groups of alike rows are tried alone: what a group does counts, however its rows look one by one."""

from __future__ import annotations

import pytest

from d2b_gate.core.verdict import Status
from d2b_gate.gate.blaming import FEWEST_ROWS, MOST_GROUPS, SPLIT, TRIED, Suit, parts_alone
from d2b_gate.gate.measure import question_of
from tests.gate.harness import CLEAN, MORE, PANDA, Bench, jsonl, policy

DATA = "data/a.jsonl"
INNOCENT = (*CLEAN, *MORE)


def suit(pairs, bench, sign=1.0):
    ports = bench.ports(policy())
    content = jsonl(*pairs)
    (file,) = bench.snapshot("after", {DATA: content}).files
    rows = tuple(ports.reader.rows(bench.files[file.oid], DATA, policy().datasets[0]))
    return Suit(rows, question_of(policy().rules[0], ports), sign, ports.backend)


def test_planted_rows_come_first_whatever_their_own_parts_say():
    """Parts to first order that go the wrong way order rows within a group, and no more."""
    pairs = (*INNOCENT, *PANDA)
    wrong = [1.0] * len(INNOCENT) + [-1.0] * len(PANDA)
    parts = parts_alone(suit(pairs, Bench()), wrong)
    best = sorted(range(len(pairs)), key=lambda row: -parts[row])[: len(PANDA)]
    assert set(best) == set(range(len(INNOCENT), len(pairs)))


def test_rows_that_all_do_the_same_are_not_told_apart():
    pairs = [PANDA[i % len(PANDA)] for i in range(FEWEST_ROWS + 6)]
    assert parts_alone(suit(pairs, Bench()), [0.0] * len(pairs)) == ()


def test_few_rows_are_not_grouped_and_cost_nothing():
    bench = Bench()
    few = (*INNOCENT, *PANDA)[-(FEWEST_ROWS - 1) :]
    assert parts_alone(suit(few, bench), [0.0] * len(few)) == ()
    assert not any(bench.backend.calls.values())


def test_the_cost_is_bounded():
    bench = Bench()
    pairs = (*INNOCENT, *PANDA, *((f"How far is {i}?", f"It is {i} miles.") for i in range(200)))
    parts_alone(suit(pairs, bench), [0.0] * len(pairs))
    assert bench.backend.calls["tune"] <= TRIED
    assert bench.backend.calls["read"] <= 1 + MOST_GROUPS + TRIED + 3 * SPLIT


@pytest.mark.parametrize("before", [jsonl(*CLEAN), b""])
def test_a_failing_change_blames_its_planted_rows(before):
    kept = len(CLEAN) if before else 0
    verdict = Bench().check({DATA: before} if before else {}, {DATA: jsonl(*INNOCENT, *PANDA)}, policy())
    (finding,) = verdict.findings
    assert finding.status is Status.FAIL
    first = finding.blame[0]
    assert first.first_line > max(kept, len(INNOCENT) - 2)
    assert first.rows >= 0.9 * len(PANDA)
