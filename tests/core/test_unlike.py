"""Rows unlike a sample: a few alike ones among very many are found, in bounded memory, whatever the order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d2b_gate.core.rows import RowRef
from d2b_gate.core.unlike import FEWEST_ALIKE, Farthest, frame_of

WIDTH = 12


def crowd(count, seed=0):
    """Rows of a few common kinds."""
    made = np.random.default_rng(seed)
    kinds = made.standard_normal((5, WIDTH)) * 3
    return (kinds[made.integers(0, 5, count)] + made.standard_normal((count, WIDTH)) * 0.3).astype(np.float32)


def kind(count, seed=9):
    """Rows of one kind that the crowd lacks."""
    made = np.random.default_rng(seed)
    return (made.standard_normal(WIDTH) * 3 + made.standard_normal((count, WIDTH)) * 0.1).astype(np.float32)


def refs(count, start=0):
    return [RowRef(f"{start + i:064x}", "a.jsonl", start + i + 1) for i in range(count)]


def found(chunks, most=64, sample=100):
    shown = Farthest(frame_of(crowd(5000)[:sample]), most)
    for places, states in chunks:
        shown.show(places, states)
    return shown


def test_a_few_alike_rows_among_thousands_are_found():
    shown = found([(refs(5000), crowd(5000)), (refs(5, 5000), kind(5))])
    chosen = shown.alike(16)
    assert shown.seen == 5005
    assert {ref.line for ref in chosen} >= set(range(5001, 5006))
    assert len(chosen) <= 16


@given(st.integers(1, 7), st.permutations(range(8)))
@settings(max_examples=20)
def test_neither_order_nor_chunks_matter(size, order):
    states, places = np.concatenate([crowd(800), kind(5)]), refs(805)
    whole = found([(places, states)]).alike(32)
    parts = np.array_split(np.arange(805), 8)
    chunks = [parts[i][start : start + 20 * size] for i in order for start in range(0, len(parts[i]), 20 * size)]
    assert found([([places[i] for i in chunk], states[chunk]) for chunk in chunks]).alike(32) == whole


def test_what_is_kept_is_bounded():
    shown = found([(refs(5000), crowd(5000))], most=10)
    assert len(shown._kept) == 10
    assert len(shown.alike(100)) <= 10


def test_too_few_rows_are_no_pattern():
    assert found([(refs(2), kind(2))]).alike(10) == ()
    assert found([]).alike(10) == ()


def test_equal_rows_are_at_no_distance_from_each_other():
    same = np.repeat(kind(1), 6, axis=0)
    chosen = found([(refs(300), crowd(300)), (refs(6, 300), same)]).alike(6)
    assert [ref.line for ref in chosen] == [301, 302, 303, 304, 305, 306]


def test_equal_rows_of_one_line_are_told_apart():
    same = np.repeat(kind(1), 6, axis=0)
    places = [RowRef("a" * 64, "a.json", 1)] * 6
    assert found([(refs(300), crowd(300)), (places, same)], most=302).alike(8)


def test_copies_of_an_odd_row_crowd_nobody_out():
    odd = np.repeat(kind(1, seed=4), 400, axis=0)
    copies = [RowRef("f" * 64, "b.jsonl", 1 + i) for i in range(400)]
    chosen = found([(copies, odd), (refs(5000), crowd(5000)), (refs(5, 5000), kind(5))], most=64).alike(16)
    assert {ref.line for ref in chosen if ref.path == "a.jsonl"} >= set(range(5001, 5006))
    assert sum(ref.path == "b.jsonl" for ref in chosen) == FEWEST_ALIKE


def test_a_row_that_was_pushed_out_may_come_again():
    near, far = (refs(1), crowd(1)), (refs(4, 10), kind(4))
    shown = found([near, far, near], most=4)
    assert sorted(entry[3] for entry in shown._kept) == [11, 12, 13, 14]
    assert shown._of_key[refs(1)[0].key] == 0


def test_a_large_tight_group_leaves_room_for_another():
    large, small = kind(60), kind(5, seed=4)
    small += np.random.default_rng(5).standard_normal(small.shape).astype(np.float32) * 0.1
    chosen = found([(refs(60), large), (refs(5, 60), small)], most=65).alike(64)
    assert {ref.line for ref in chosen} >= set(range(61, 66))


def test_a_state_that_is_no_number_keeps_no_place():
    states = kind(6)
    states[0] = np.nan
    chosen = found([(refs(6), states), (refs(6, 6), kind(6))], most=6).alike(6)
    assert 1 not in {ref.line for ref in chosen}
    assert chosen


def test_an_empty_sample_is_refused():
    with pytest.raises(ValueError, match="empty sample"):
        frame_of(np.zeros((0, 3), dtype=np.float32))
