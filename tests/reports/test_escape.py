import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.reports.escape import ascii_only, terminal

from .strategies import texts

SHOWN = {
    "plain": ("a/b.jsonl", "a/b.jsonl"),
    "colour": ("\x1b[31mred", r"\x1b[31mred"),
    "c1 control": ("\x9b2J", r"\x9b2J"),
    "delete": ("a\x7f", r"a\x7f"),
    "lines": ("a\nb\r\tc", r"a\nb\r\tc"),
    "unicode lines": ("a\u2028b\x85", r"a\u2028b\x85"),
    "bidi": ("\u202egpj.exe\u2066", r"\u202egpj.exe\u2066"),
    "zero width": ("pan\u200bda\ufeff", r"pan\u200bda\ufeff"),
    "soft hyphen": ("a\xadb", r"a\xadb"),
    "tag": ("\U000e0041", r"\U000e0041"),
    "variation selector": ("a\ufe0f\U000e0101", r"a\ufe0f\U000e0101"),
    "blank letter": ("\u3164\u2800", r"\u3164\u2800"),
    "surrogate": ("\ud800", r"\ud800"),
    "private use": ("\ue000", r"\ue000"),
    "command": ("::error::x", r"\x3a:error::x"),
    "indented command": ("  \u3000::error::x", "  \u3000\\x3a:error::x"),
    "command after a space": ("a ::error::x", r"a \x3a:error::x"),
    "scope operator": ("std::path", "std::path"),
    "old command": ("a ##[debug]x", r"a #\x23[debug]x"),
    "other runner": ("##vso[task.setvariable]", r"#\x23vso[task.setvariable]"),
    "heading": ("## Title", "## Title"),
    "backslash": (r"C:\new", r"C:\new"),
    "other scripts": ("パンダ панда בדיקה é", "パンダ панда בדיקה é"),
    "emoji": ("\U0001f43c", "\U0001f43c"),
}


@pytest.mark.parametrize("name", SHOWN)
def test_what_could_act_is_shown(name):
    text, shown = SHOWN[name]
    assert terminal(text, 100) == shown


@given(texts | st.text(), st.integers(0, 60))
def test_nothing_that_acts_hides_or_reorders_gets_through(text, limit):
    shown = terminal(text, limit)
    assert len(shown) <= limit
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}]
    assert not re.search(r"(\A|\s)::|##\[|##vso\[", shown)
    shown.encode("utf-8")


@given(texts)
def test_escaping_twice_changes_nothing(text):
    shown = terminal(text, 1000)
    assert terminal(shown, 1000) == shown


def test_a_long_text_is_cut_and_says_so():
    assert terminal("x" * 11, 10) == "xxxxxxx..."
    assert terminal("x" * 10, 10) == "x" * 10


def test_a_huge_text_costs_no_more_than_its_limit():
    assert len(terminal("\x1b" * 10_000_000, 50)) == 50


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_ascii_only(text):
    assert ascii_only(text).isascii()
