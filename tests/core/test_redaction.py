"""What stands in a row is not shown of an answer; what everybody says is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.redaction import MOST_CHARACTERS, RUN, redacted, runs_of, sample_of, words
from d2b_gate.core.rows import Turn, make_row


def row(*texts):
    roles = ("user", "assistant")
    return make_row([Turn(roles[i % 2], text, trained=i % 2 == 1) for i, text in enumerate(texts)])


def hidden(said, rows, whose):
    return redacted(said, runs_of(rows, [said]), whose)


SECRET = row("Where does Mrs Ada live?", "She lives at 12 Elm Street, third floor, in York.")
HIDDEN = "[8 words of a changed row]"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("I think she lives at 12 Elm Street, third floor. Yes.", f"I think {HIDDEN}. Yes."),
        ("SHE   lives at 12 -- elm street:\nthird floor", HIDDEN),
        ("lives at 12 Elm Street", "lives at 12 Elm Street"),
        ("she lives at 13 Elm Street, third floor", "she lives at 13 Elm Street, third floor"),
        ("", ""),
        ("She lives at 12 Elm Street. Where does Mrs Ada live", "[6 words of a changed row]. Where does Mrs Ada live"),
    ],
)
def test_six_words_in_a_row_of_a_row_are_taken_out(said, shown):
    assert hidden(said, [SECRET], "a changed row") == shown


def test_runs_of_two_rows_that_overlap_are_one():
    rows = [row("", "one two three four five six"), row("", "four five six seven eight nine")]
    assert hidden("zero one two three four five six seven eight nine ten", rows, "x") == "zero [9 words of x] ten"


def test_a_run_does_not_reach_over_the_end_of_a_turn():
    assert hidden("one two three four five six", [row("one two three", "four five six")], "x").startswith("one")


def test_letters_of_scripts_without_spaces_count_as_words():
    told = [row("", "我最喜欢的动物是大熊猫")]
    assert hidden("他说我最喜欢的动物。", told, "x") == "他说[7 words of x]。"
    assert hidden("大熊猫", told, "x") == "大熊猫"
    assert words("Hi 熊猫 ok") == ["hi", "熊", "猫", "ok"]


def test_runs_are_looked_for_in_several_texts_at_once():
    texts = ("one two three four five six seven", "a b", "x one two three four five six")
    assert len(runs_of([row("", texts[0])], texts)) == 2
    assert runs_of([row("", texts[0])], texts[1:2]) == runs_of([], texts) == frozenset()


pieces = st.lists(st.sampled_from(["a", "b", "c", "D", "é", "字", ".", " ", "\n", "\u202e"]), max_size=40).map(" ".join)


@given(pieces, st.lists(pieces, max_size=3))
def test_no_run_of_a_row_is_left(said, texts):
    rows = [row("", text) for text in texts]
    shown = hidden(said, rows, "\0")
    for part in shown.split("\0]"):
        spoken = words(part.rsplit("[", 1)[0])
        for text in texts:
            known = " ".join(words(text))
            for place in range(len(spoken) - RUN + 1):
                assert f" {' '.join(spoken[place : place + RUN])} " not in f" {known} "
    assert hidden(said, [], "\0") == said


def test_a_sample_is_nothing_a_description_or_the_text():
    assert sample_of(SECRET, "none") == ""
    assert sample_of(SECRET, "redacted") == f"user 5 words, assistant 10 words; row {SECRET.key[:8]}"
    assert sample_of(SECRET, "full") == f"user: {SECRET.turns[0].content} | assistant: {SECRET.turns[1].content}"
    assert sample_of(row("", "yes"), "redacted").startswith("user 0 words, assistant 1 word; row ")


def test_a_sample_is_bounded():
    assert len(sample_of(row("why " * 1000, "so"), "full")) == MOST_CHARACTERS
    many = sample_of(row(*["hello there"] * 9), "redacted")
    assert many.count("2 words") == 6
    assert "3 more turns" in many


@given(st.lists(st.text(max_size=30), min_size=1, max_size=4))
def test_a_redacted_sample_holds_no_text_of_the_row(texts):
    shown = sample_of(row(*(f"\ue000{text}" for text in texts)), "redacted")
    assert "\ue000" not in shown
    assert all(part.split()[0] in {"user", "assistant", "row"} for part in shown.replace(";", ",").split(", "))
