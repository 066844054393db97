"""Edits of the waivers' file: what was not meant stays as it was, byte for byte."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.cli.waiver_text import entry_text, without_entries
from d2b_gate.core.errors import UsageError
from d2b_gate.core.waivers import Waiver
from d2b_gate.policy.waivers import read_waivers

THREE = """\
#:schema waivers.schema.json
# The waivers of the zoo.
schema = 1

# about the first
[[waiver]]
rule = "a"   # a remark
paths = ["a/*"]
max_delta = 0.1
owner = "o"
approver = "p"
reason = "r"
expires = 2026-01-01

# a remark that stands alone

# about the second,
# in two lines
[[waiver]]
rule = "b"
paths = ["b/*"]
max_delta = 0.1
owner = "o"
approver = "p"
reason = '''
# not a comment
'''
expires = 2026-01-02
[[waiver]]
rule = "c"
paths = ["c/*"]
max_delta = 0.1
owner = "o"
approver = "p"
reason = "r"
expires = 2026-01-03

# the end
"""
WORDS = st.text(st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=20).filter(lambda text: text.strip())


def rules_of(text):
    return [waiver.rule for waiver in read_waivers(text, ())]


def test_an_entry_is_appended(snapshot):
    waiver = Waiver("panda", 0.25, "@o", "@a", 'a "quoted" \\ word', "2026-12-01", ("data/*.jsonl",), "ab" * 32)
    assert entry_text("", waiver) == snapshot
    assert entry_text(THREE, waiver).startswith(THREE.rstrip("\n"))
    assert rules_of(entry_text(THREE, waiver)) == ["a", "b", "c", "panda"]


@given(
    st.builds(
        Waiver,
        rule=st.just("panda"),
        max_delta=st.floats(1e-9, 1e9),
        owner=WORDS.map("o".__add__),
        approver=WORDS.map("p".__add__),
        reason=WORDS,
        expires=st.dates().map(lambda day: day.isoformat()),
        paths=st.lists(st.sampled_from(["a/*", "b [x] é 字.jsonl"]), min_size=1, max_size=2).map(tuple),
        rows_hash=st.sampled_from(["", "ab" * 32]),
    ),
    st.sampled_from(["", "schema = 1", "schema = 1\r\n# x\r\n", THREE]),
)
def test_what_is_written_is_read_back(waiver, text):
    *before, written = read_waivers(entry_text(text, waiver), ())
    assert replace(written, origin="") == waiver
    assert tuple(before) == (read_waivers(text, ()) if text else ())


@pytest.mark.parametrize("gone", [{0}, {1}, {2}, {0, 1}, {0, 2}, {1, 2}, {0, 1, 2}], ids=str)
def test_waivers_go_with_their_own_comments_only(gone, snapshot):
    assert without_entries(THREE, gone) == snapshot
    assert rules_of(without_entries(THREE, gone)) == [rule for index, rule in enumerate("abc") if index not in gone]


@pytest.mark.parametrize(
    "text",
    ["schema = 1\nwaiver = [{ rule = 'a' }]\n", "schema = 1\nwaiver = [{ reason = '''\n[[waiver]]\n''' }, {}]\n"],
)
def test_one_list_is_not_edited(text):
    with pytest.raises(UsageError, match="written as one list"):
        without_entries(text, {0})
