"""Fairness as a pure order of jobs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.server.turns import Ref, in_turn

WAITING = st.lists(st.builds(Ref, st.sampled_from("abcd"), st.text("0123", max_size=4)), unique=True)
TURNS = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 9))


def test_owners_take_turns_however_many_jobs_one_has() -> None:
    waiting = [Ref("a", "1"), Ref("a", "2"), Ref("a", "3"), Ref("b", "1"), Ref("b", "2"), Ref("c", "1")]
    assert "".join(ref.owner for ref in in_turn(waiting, {})) == "abcaba"


def test_who_has_waited_longest_since_its_last_turn_goes_first() -> None:
    waiting = [Ref("a", "1"), Ref("b", "1"), Ref("c", "1")]
    assert [ref.owner for ref in in_turn(waiting, {"a": 3, "b": 1, "c": 2})] == ["b", "c", "a"]
    assert [ref.owner for ref in in_turn(waiting, {"a": 3, "b": 1})] == ["c", "b", "a"]


@given(WAITING, TURNS)
def test_every_job_has_its_turn_and_each_owners_jobs_stay_in_order(waiting: list[Ref], turns: dict[str, int]) -> None:
    order = in_turn(waiting, turns)
    assert sorted(order) == sorted(waiting)
    for owner in "abcd":
        assert [ref for ref in order if ref.owner == owner] == [ref for ref in waiting if ref.owner == owner]


@given(WAITING, TURNS)
def test_nobody_has_two_turns_while_another_waits(waiting: list[Ref], turns: dict[str, int]) -> None:
    order = in_turn(waiting, turns)
    for place, ref in enumerate(order):
        later = {one.owner for one in order[place + 1 :]}
        if place and order[place - 1].owner == ref.owner:
            assert later <= {ref.owner}


@given(WAITING, TURNS)
def test_the_first_in_turn_stays_the_first_when_others_come(waiting: list[Ref], turns: dict[str, int]) -> None:
    if not waiting:
        return
    first = in_turn(waiting, turns)[0]
    more = [*waiting, Ref(first.owner, "late"), Ref(waiting[-1].owner, "later")]
    assert in_turn(more, turns)[0] == first
