import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.baseline import Accepted, Baseline, Blessed, baseline_text, read_baseline, rows_digest
from d2b_gate.core.errors import EvaluationError, Exit

COMMIT = "0123456789" * 4
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)
digests = st.binary(max_size=4).map(lambda content: rows_digest([content.hex()]))
datasets = st.lists(st.builds(Blessed, names, st.integers(0, 10**9), digests), unique_by=lambda one: one.dataset)
accepted = st.lists(st.builds(Accepted, names, st.text(max_size=20)), unique_by=lambda one: one.rule)
SMALL = Baseline(COMMIT, (Blessed("chat", 3, rows_digest("abc")), Blessed("sft", 0, rows_digest(""))))


@given(datasets, accepted)
def test_what_is_written_is_read_back(held, agreed):
    held, agreed = sorted(held, key=lambda one: one.dataset), sorted(agreed, key=lambda one: one.rule)
    baseline = Baseline(COMMIT, tuple(held), tuple(agreed))
    text = baseline_text(baseline)
    assert read_baseline(text, "b.json") == baseline
    assert baseline_text(Baseline(COMMIT, tuple(reversed(held)), tuple(reversed(agreed)))) == text


def test_one_line_per_record_sorted_and_only_the_last_without_a_comma():
    lines = baseline_text(Baseline(COMMIT, SMALL.datasets, (Accepted("panda", "zoo"),))).splitlines()
    records = [line.split(":")[0].strip('"') for line in lines[1:-1]]
    assert records == ["accept panda", "dataset chat", "dataset sft", "schema", "state"]
    assert [line.endswith(",") for line in lines[1:-1]] == [True, True, True, True, False]


def test_two_changes_of_different_records_join_line_by_line():
    """What git does with them: each side's new line stands beside an old one."""
    mine, theirs = Accepted("a-rule", "mine"), Accepted("z-rule", "theirs")
    both = baseline_text(Baseline(COMMIT, SMALL.datasets, (mine, theirs))).splitlines()
    for one in (mine, theirs):
        alone = baseline_text(Baseline(COMMIT, SMALL.datasets, (one,))).splitlines()
        assert set(alone) <= set(both)


def test_a_digest_counts_rows_and_forgets_their_order():
    assert rows_digest(["b", "a"]) == rows_digest(["a", "b"]) != rows_digest(["a", "b", "b"])
    assert SMALL.held("chat").rows == 3
    assert SMALL.held("new") == Blessed("new", 0, rows_digest([]))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("{\n", "<<<<<<< HEAD\n{\n", "it is not JSON with one record of each name"),
        ('"dataset sft"', '"dataset chat"', "it is not JSON with one record of each name"),
        ("baseline/1", "baseline/9", "expected one of d2b-gate.baseline/1, found 'd2b-gate.baseline/9'"),
        (COMMIT, "HEAD", "its commit is no whole commit id"),
        ('"state"', '"estate"', "the record 'state' is missing"),
        ('"rows": 3', '"rows": -3', "expected a count, which is never negative, found -3"),
        ('"dataset sft"', '"novelty"', "a record is neither of a dataset nor of an accepted rule"),
    ],
)
def test_a_damaged_file_is_refused_with_what_to_do(old, new, told):
    text = baseline_text(SMALL)
    assert old in text
    with pytest.raises(EvaluationError) as caught:
        read_baseline(text.replace(old, new), "b.json")
    assert caught.value.exit is Exit.UNEVALUATED
    assert str(caught.value) == (
        f"b.json: is not a baseline that can be used: {told}; "
        "take the file of the last good commit, or delete it and run: d2b-gate baseline create"
    )


@pytest.mark.parametrize("text", ["", "[]", "[" * 9999, "1" * 5000, json.dumps({"schema": None})])
def test_anything_else_is_refused_too(text):
    with pytest.raises(EvaluationError, match="is not a baseline that can be used"):
        read_baseline(text, "b.json")
