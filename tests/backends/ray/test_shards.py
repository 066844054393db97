"""Dealing: a function of the set of rows, complete, and local to what changed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.backends.ray.shards import LEAST_ROWS, MOST_ROWS, SHARDS, chunks, deal, most_rows, places, shared
from d2b_gate.core.rows import Turn, make_row

texts = st.lists(st.text(max_size=6), max_size=60)
most = st.integers(1, 20)


def rows_of(said):
    return [make_row([Turn("text", one, trained=True)], path="x", line=i) for i, one in enumerate(said)]


def keys(shards):
    return [[row.key for row in shard] for shard in shards]


@given(texts, most, st.randoms())
def test_every_distinct_row_is_dealt_once_whatever_the_order(said, most, random):
    rows = rows_of(said)
    shards = deal(rows, most)
    assert [key for shard in keys(shards) for key in shard] == sorted({row.key for row in rows})
    assert all(shards)
    random.shuffle(rows)
    assert keys(deal(rows, most)) == keys(shards)


@given(st.integers(1, 400), most)
def test_shards_are_about_as_large_as_asked_for(count, most):
    shards = deal(rows_of(map(str, range(count))), most)
    assert len(shards) >= min(count, max(1, count // (8 * most)))
    if count <= most:
        assert len(shards) == 1


def test_a_new_row_changes_no_shard_but_its_own():
    rows = rows_of(map(str, range(1000)))
    before, after = (keys(deal(some, 100)) for some in (rows[:-1], rows))
    assert len(before) == len(after) == 16
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1


@given(st.integers(0, 50), most)
def test_chunks_cover_every_place_once(count, most):
    parts = chunks(count, most)
    assert [i for part in parts for i in part] == list(range(count))
    assert all(0 < len(part) <= most for part in parts)


def test_places_tell_where_a_row_stands_however_often():
    first, second = rows_of(["a", "b"])
    assert places([first, second, first]) == {first.key: [0, 2], second.key: [1]}


def test_what_is_asked_for_at_once_is_shared_by_many_workers():
    assert shared(512, MOST_ROWS) == shared(1, MOST_ROWS) == LEAST_ROWS
    assert shared(4096, MOST_ROWS) == 4096 // SHARDS
    assert shared(10**6, MOST_ROWS) == MOST_ROWS
    assert shared(512, 8) == 8, "a bound in bytes holds"


def test_an_answer_is_bounded_in_bytes_and_rows():
    assert most_rows(30, 576) == MOST_ROWS
    assert most_rows(80, 8192) == 102
    assert most_rows(10**6, 10**6) == 1
