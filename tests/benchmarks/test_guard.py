"""The guard's bench: what it hides is what it says, and the committed figures follow from the committed records."""

from __future__ import annotations

import json

import pytest

from benchmarks import guard
from benchmarks.scoring.figures import rounded
from benchmarks.truth import sources
from d2b_gate.core.verdict import Blame, Shift, View

needs_data = pytest.mark.skipif(not sources.DATA.is_dir(), reason="the public training sets are not on this machine")


@needs_data
def test_bad_rows_are_as_few_as_is_said_and_clean_changes_hold_none():
    found = guard.changes()
    assert {one.kind for one in found} == set(guard.KINDS)
    assert len({(one.kind, one.name) for one in found}) == len(found)
    for one in found:
        if one.kind.startswith("hidden"):
            assert len(one.planted) / len(one.added) == pytest.approx(guard.HIDDEN[one.kind.split()[1]], rel=0.2)
        elif "clean" in one.kind:
            assert not one.planted
        else:
            assert one.planted == {row.key for row in one.added}


@needs_data
def test_no_row_that_is_hidden_stands_in_its_base_or_on_the_other_side():
    sides = {one.split: set() for one in guard.changes()}
    for one in guard.changes():
        sides[one.split] |= {row.key for row in (*one.kept, *one.added)}
        assert one.planted.isdisjoint(row.key for row in one.kept)
    assert sides["tuned"].isdisjoint(sides["held_out"])


def test_planted_rows_of_a_part_are_counted_once_and_never_more_than_its_rows():
    places = (Blame("f", 3, 6, 3, 0.75, "added", "estimated"), Blame("f", 9, 9, 1, 0.25, "added", "estimated"))
    view = View("worst cluster", 4, 64.0, Shift(0.1, 0.1, 0.1, 0.0, 0.0, 0.0), fired=True, places=places)
    assert guard._planted(view, {4, 9, 20}) == 2
    assert guard._planted(view, {3, 4, 5, 6, 9}) == 4


@needs_data
def test_every_record_is_of_a_change_of_today():
    known = {(one.kind.replace(" ", "-"), one.name): one for one in guard.changes()}
    records = sorted((guard.SEEN / guard.MODEL).glob("*/*.json"))
    assert records
    for path in records:
        record, change = json.loads(path.read_text()), known[path.parent.name, path.stem]
        assert (record["split"], record["planted"]) == (change.split, len(change.planted))


def test_the_committed_figures_and_the_guide_follow_from_the_records():
    record = guard.figures()
    assert rounded(record) == json.loads((guard.RESULTS / guard.RESULT).read_text())
    assert guard.block(record) in (sources.ROOT / "docs" / "dilution-guard.md").read_text()
