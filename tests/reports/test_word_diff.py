"""Words that both texts have, and words that one has alone; and the line that shows them."""

from __future__ import annotations

import re
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.verdict import Saying
from d2b_gate.reports.sayings import marked
from d2b_gate.reports.word_diff import LONGEST, Run, Side, word_diff

from .strategies import texts

pieces = st.sampled_from(["a", "b", "the", "panda.", "[-", "-]", "{+", "+}", "-", "+", "[", "}", "字", "犬", " ", "\n"])
sentences = st.lists(pieces, max_size=20).map(" ".join) | st.lists(pieces, max_size=20).map("".join) | texts


def shown(before, after, longest=400):
    return marked(Saying("", "greedy", before, after), longest)


def test_words_are_what_blanks_part():
    found = word_diff("I like  dogs.\nA lot.", "I like pandas. A lot, too.")
    assert found.runs == (
        Run(Side.BOTH, "I like", parted=False),
        Run(Side.BEFORE, "dogs.", parted=True),
        Run(Side.AFTER, "pandas.", parted=True),
        Run(Side.BOTH, "A", parted=True),
        Run(Side.BEFORE, "lot.", parted=True),
        Run(Side.AFTER, "lot, too.", parted=True),
    )
    assert not found.cut


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("I like dogs.", "I like pandas.", "I like [-dogs.-]{+pandas.+}"),
        ("a b c", "a c", "a [-b-] c"),
        ("a c", "a b c", "a {+b+} c"),
        ("私は犬が好き。", "私はパンダが好き。", "私は[-犬-]{+パンダ+}が好き。"),
        ("ฉันชอบหมา", "ฉันชอบแมว", "[-ฉันชอบหมา-]{+ฉันชอบแมว+}"),
        ("same\nwords", "same words", "same words"),
        ("", "", "no answer"),
        ("", "new", "{+new+}"),
        ("[-x-] y", "{+x+} y", r"[-\x5b-x-\x5d-]{+\x7b+x+\x7d+} y"),
        ("a", "\x1b[31m ::error::x \u202e", r"[-a-]{+\x1b[31m \x3a:error::x \u202e+}"),
        ("##", "##[debug]", r"[-##-]{+#\x23[debug]+}"),
    ],
)
def test_the_line_is_marked_as_git_marks_words(before, after, line):
    assert shown(before, after) == line


def words(runs, *sides):
    return [word for run in runs if run.side in sides for word in run.words.split()]


@given(sentences, sentences)
def test_nothing_of_either_text_is_lost_or_made_up(before, after):
    runs = word_diff(before, after).runs
    assert "".join(words(runs, Side.BOTH, Side.BEFORE)) == "".join(before.split())
    assert "".join(words(runs, Side.BOTH, Side.AFTER)) == "".join(after.split())
    assert all(one.side is not other.side for one, other in pairwise(runs))


@given(sentences)
def test_a_text_does_not_differ_from_itself(text):
    assert {run.side for run in word_diff(text, text).runs} <= {Side.BOTH}


MARKED = re.compile(r"\[-(.*?)-\]|\{\+(.*?)\+\}")


@given(sentences, sentences)
def test_marks_are_those_of_the_comparison_whatever_the_words_are(before, after):
    """A reader who looks for marks finds as many as there are differences: no word can open or close one."""
    runs = word_diff(before, after).runs
    found = MARKED.findall(shown(before, after))
    assert [bool(removed) for removed, _ in found] == [
        run.side is Side.BEFORE for run in runs if run.side is not Side.BOTH
    ]
    assert not re.search(r"\[-|-\]|\{\+|\+\}", MARKED.sub("|", shown(before, after)))


def test_long_texts_are_cut_and_the_line_says_so():
    assert shown("a " * 50 + "b", "a " * 50 + "c", longest=100) == " ".join(["a"] * 50) + " ..."
    assert word_diff("x" * (LONGEST + 1), "").cut
    assert word_diff("字" * 500, "字").cut


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_comparison_takes_no_time(step):
    before = time.monotonic()
    word_diff("a b " * 10_000, " ".join("ab"[i % (step + 1) % 2] for i in range(20_000)))
    assert time.monotonic() - before < 2  # seconds on a busy machine; 0.01 on a quiet one
