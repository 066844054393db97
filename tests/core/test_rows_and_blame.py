import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.blame import MOST_RUNS, blame_rows, covered, places
from d2b_gate.core.fingerprint import fingerprint
from d2b_gate.core.rows import RowRef, Turn, diff_rows, make_row, row_from_mapping, row_to_mapping
from d2b_gate.core.rules import MethodSpec

names = st.sampled_from("abcdef")
states = st.lists(names, max_size=12)


def refs(keys):
    return [RowRef(key, "f.jsonl", line) for line, key in enumerate(keys, start=1)]


def test_a_copy_in_another_file_leaves_the_row_that_was_there():
    old, copy = RowRef("x", "z.jsonl", 1), RowRef("x", "a.jsonl", 7)
    diff = diff_rows([old], [copy, old])
    assert (diff.added, diff.removed, diff.kept) == ((copy,), (), (old,))
    back = diff_rows([copy, old], [old])
    assert (back.added, back.removed, back.kept) == ((), (copy,), (old,))
    moved = diff_rows([old], [copy])
    assert (moved.added, moved.removed, moved.kept) == ((), (), (copy,))


@given(states, states)
def test_a_diff_accounts_for_every_row_of_both_states(before, after):
    diff = diff_rows(refs(before), refs(after))
    assert sorted([*(r.key for r in diff.kept), *(r.key for r in diff.removed)]) == sorted(before)
    assert sorted([*(r.key for r in diff.kept), *(r.key for r in diff.added)]) == sorted(after)
    assert not {r.key for r in diff.added} & {r.key for r in diff.removed}


@given(states, st.randoms())
def test_moving_rows_is_no_change(state, rng):
    moved = list(state)
    rng.shuffle(moved)
    assert diff_rows(refs(state), refs(moved)).empty


def test_a_second_copy_is_a_change():
    diff = diff_rows(refs("ab"), refs("aab"))
    assert [r.key for r in diff.added] == ["a"]


def test_identity_is_content_not_place():
    turns = [Turn("user", "hi", False), Turn("assistant", "héllo\u2028", True)]
    assert make_row(turns, path="a", line=1).key == make_row(turns, path="b", line=9).key
    assert make_row(turns).key != make_row([turns[0], Turn("assistant", "héllo\u2028", False)]).key
    assert make_row(turns).key != make_row(turns, tools="[]").key


@given(st.lists(st.tuples(st.text(), st.text(), st.booleans()), min_size=1), st.text())
def test_a_stored_row_comes_back_whole(turns, tools):
    row = make_row([Turn(*turn) for turn in turns], tools=tools)
    assert row_from_mapping(row_to_mapping(row)) == row


def test_neighbouring_rows_are_named_as_one_run():
    places = [RowRef(str(i), "d.jsonl", i) for i in range(1, 11)]
    parts = [0.0, 0.0, 1.0, 1.2, 0.9, 1.1, 0.0, 0.0, 0.0, -3.0]
    (run,) = blame_rows(places, parts, "added")
    assert run.where == "d.jsonl:3-6"
    assert run.rows == 4
    assert run.share == pytest.approx(1.0)
    assert run.basis == "estimated"


def test_rows_that_stray_no_further_than_chance_are_not_named():
    places = [RowRef(str(i), "d.jsonl", i) for i in range(1, 41)]
    stray = [0.3 * (-1) ** i * (1 + i % 3) for i in range(40)]
    (run,) = blame_rows(places, [*stray[:20], 9.0, 8.0, *stray[22:]], "added")
    assert (run.where, run.rows) == ("d.jsonl:21-22", 2)
    assert run.share == pytest.approx(1.0)


def test_rows_that_all_push_the_same_way_are_all_named():
    places = [RowRef(str(i), "d.jsonl", i) for i in range(1, 21)]
    (run,) = blame_rows(places, [1.0] * 20, "added")
    assert run.where == "d.jsonl:1-18"  # nine tenths of the shift
    assert run.rows == 18


def test_rows_in_the_runs_are_covered():
    places = [RowRef(str(i), "d.jsonl", i) for i in range(1, 8)] + [RowRef("x", "e.jsonl", 2)]
    runs = blame_rows(places[:7], [0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0], "added")
    assert [ref.line for ref in covered(runs, places)] == [2, 3, 4]
    assert covered((), places) == ()


def test_the_places_of_a_part_name_all_of_its_rows_and_no_other():
    rows = refs("abcdef")
    (first, second) = places(rows, {0, 1, 5}, "added")
    assert [(one.first_line, one.last_line, one.rows) for one in (first, second)] == [(1, 2, 2), (6, 6, 1)]
    assert first.share + second.share == 1.0
    assert places(rows, set(), "added") == ()


def test_one_quiet_row_does_not_break_a_run_but_two_do():
    places = [RowRef(str(i), "d.jsonl", i) for i in range(1, 8)]
    runs = blame_rows(places, [1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0], "added")
    assert [(run.first_line, run.last_line, run.rows) for run in runs] == [(1, 3, 2), (6, 7, 2)]


def test_runs_do_not_cross_files():
    places = [RowRef("a", "one", 1), RowRef("b", "two", 2)]
    assert len(blame_rows(places, [1.0, 1.0], "removed")) == 2


def test_nothing_pushes_nothing_is_blamed():
    assert blame_rows([RowRef("a", "p", 1)], [-1.0], "added") == ()
    assert blame_rows([], [], "added") == ()


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=60))
def test_blame_is_bounded(parts):
    places = [RowRef(str(i), "d", i * 3) for i in range(len(parts))]
    runs = blame_rows(places, parts, "added")
    assert len(runs) <= MOST_RUNS
    assert sum(run.share for run in runs) <= 1 + 1e-9
    assert all(run.share >= 0 for run in runs)


def test_a_fingerprint_depends_on_every_field_and_on_nothing_else():
    assert fingerprint("x", MethodSpec()) == fingerprint("x", MethodSpec())
    assert fingerprint("x", MethodSpec()) != fingerprint("x", MethodSpec(seed=1))
    assert fingerprint("x", MethodSpec()) != fingerprint("y", MethodSpec())
    assert fingerprint("x", {"a": 1, "b": 2}) == fingerprint("x", {"b": 2, "a": 1})
    with pytest.raises(TypeError):
        fingerprint("x", object())
