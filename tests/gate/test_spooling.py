from __future__ import annotations

import tracemalloc
from hashlib import sha256
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.fingerprint import fingerprint_with_keys
from d2b_gate.core.mixture import subsample
from d2b_gate.core.row_lists import concatenated, counts_of, in_key_order, rows_at
from d2b_gate.core.rows import RowDiff, RowRef, diff_rows
from d2b_gate.core.waivers import rows_hash
from d2b_gate.gate import spooling
from d2b_gate.gate.spooling import PartRows, spooled_diff
from d2b_gate.store import records
from d2b_gate.store.rowfiles import RowFiles, held_parts
from tests.reference import row_sets

FOLDER = Path(mkdtemp())
PATHS = ("a.jsonl", "b.jsonl", "c/d.jsonl", "\udc80.jsonl", "\U0001f600.jsonl")
STATES = st.dictionaries(st.sampled_from(PATHS), st.lists(st.sampled_from("vwxyz"), max_size=14), max_size=5)
"""Files with few different rows, so that they repeat within a file and over files."""


@pytest.fixture(autouse=True, scope="module")
def few_at_a_time():
    """Little is held at once, so that a handful of rows is many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "HELD", 3)
        patch.setattr(spooling, "HELD", 3)
        patch.setattr(records, "BLOCK", 2)
        patch.setattr(spooling, "MOST_MERGED", 2)
        yield


def key_of(letter):
    return sha256(letter.encode()).hexdigest()


def entries(state, path, one_line):
    return [(path, key_of(letter), 1 if one_line else line, True) for line, letter in enumerate(state[path], start=1)]


def refs(state, one_line=()):
    return [RowRef(key, path, line) for name in state for path, key, line, _ in entries(state, name, name in one_line)]


def parts(state, names, one_line=()):
    """Some in memory and some on disk."""
    files = RowFiles()
    laid = []
    for number, name in enumerate(names):
        rows = entries(state, name, name in one_line)
        laid += held_parts(rows) if number % 2 else files.put(name.encode("utf-8", "surrogatepass").hex(), rows)
    return laid, files


def both(before, after, one_line=()):
    """The two states compared on disk, and as plainly as it can be."""
    same = [path for path in after if before.get(path) == after[path]]
    was, kept = parts(before, [path for path in before if path not in same], one_line)
    now, also = parts(after, [path for path in after if path not in same], one_line)
    shared, third = parts(after, same, one_line)
    spooled = spooled_diff(was, now, shared, FOLDER)
    spooled.added.files = (kept, also, third)  # they go when the last who holds them goes
    return spooled, row_sets.diff(refs(before, one_line), refs(after, one_line))


def sides(diff):
    return {"added": diff.added, "removed": diff.removed, "kept": diff.kept}


@given(STATES, STATES, st.sets(st.sampled_from(PATHS)))
def test_a_comparison_on_disk_says_what_one_in_memory_says(before, after, one_line):
    spooled, plain = both(before, after, one_line)
    assert {side: tuple(rows) for side, rows in sides(spooled).items()} == sides(plain)
    assert {side: len(rows) for side, rows in sides(spooled).items()} == {s: len(r) for s, r in sides(plain).items()}
    assert spooled.empty == plain.empty
    held = diff_rows(refs(before, one_line), refs(after, one_line))
    assert sides(held) == sides(plain)


@given(STATES, STATES, st.integers(-3, 12), st.integers(-3, 12))
def test_rows_on_disk_can_be_asked_what_rows_in_memory_can(before, after, start, stop):
    spooled, plain = both(before, after)
    for rows, same in zip(sides(spooled).values(), sides(plain).values(), strict=True):
        assert rows[start:stop] == same[start:stop]
        assert rows[-1:] == same[-1:]
        assert not same or rows[-1] == same[-1]
        assert bool(rows) == bool(same)
        assert counts_of(rows) == counts_of(same)
        assert list(in_key_order(rows)) == list(in_key_order(same))
        assert [list(rows_at(rows, path)) for path in PATHS] == [list(rows_at(same, path)) for path in PATHS]
        with pytest.raises(IndexError):
            rows[len(same)]


@given(STATES, STATES, st.integers(0, 9), st.integers(0, 3), st.sampled_from([{}, {"a.jsonl": 3.0}, {"b.jsonl": 0.0}]))
def test_a_draw_is_the_same_wherever_the_rows_lie(before, after, count, seed, weights):
    spooled, plain = both(before, after)
    twice, once = concatenated([spooled.kept, spooled.added]), concatenated([plain.kept, plain.added])
    drawn = row_sets.subsample(once, weights, count, seed)
    assert subsample(twice, weights, count, seed) == subsample(once, weights, count, seed) == drawn


@given(STATES, STATES, st.lists(st.sampled_from(["sft", "sf", "s\tt"]), min_size=1, max_size=2, unique=True))
def test_names_of_changes_are_the_same_wherever_the_rows_lie(before, after, names):
    spooled, plain = both(before, after)
    changes, same = [(name, spooled) for name in names], [(name, plain) for name in names]
    assert rows_hash(changes) == rows_hash(same) == row_sets.rows_hash(same)
    keys = [[[key for key, _, _ in in_key_order(side)] for side in sides(one).values()] for _, one in changes]
    named = fingerprint_with_keys("verdict", ("card", 1.5), keys)
    assert named == row_sets.fingerprint_with_keys("verdict", ("card", 1.5), [plain for _ in names])


def test_no_rows_have_the_name_that_they_always_had():
    empty = RowDiff((), (), ())
    assert fingerprint_with_keys("k", (1,), []) == row_sets.fingerprint_with_keys("k", (1,), [])
    assert fingerprint_with_keys("k", (1,), [[[], [], []]]) == row_sets.fingerprint_with_keys("k", (1,), [empty])


def test_many_files_are_sorted_once(monkeypatch):
    state = {f"{number}.jsonl": "xyz" for number in range(9)}
    laid, _files = parts(state, state)
    rows = PartRows(laid, FOLDER)
    first = list(in_key_order(rows))
    assert first == list(in_key_order(refs(state)))
    monkeypatch.setattr(spooling, "Runs", None)  # a second sort would fail
    assert list(in_key_order(rows)) == first


def test_one_row_a_million_times_over_is_not_held(monkeypatch):
    for place in (records, spooling):
        monkeypatch.setattr(place, "HELD", 1_000)
    monkeypatch.setattr(records, "BLOCK", 100)
    count = 60_000

    def repeated(times):
        return ((("a.jsonl", key_of("x"), line, True)) for line in range(1, times + 1))

    files = RowFiles()
    tracemalloc.start()
    before, after = files.put("1", repeated(count)), files.put("2", repeated(count + 40_000))
    diff = spooled_diff(before, after, [], FOLDER)
    assert (len(diff.added), len(diff.removed), len(diff.kept)) == (40_000, 0, count)
    assert sum(1 for _ in diff.kept) == count
    assert next(islice(iter(diff.added), 1)) == RowRef(key_of("x"), "a.jsonl", count + 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_000_000  # all of them would take 16 MB
