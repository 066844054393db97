from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from d2b_gate.forge.shapes import Comment, User
from d2b_gate.forge.sticky import LONGEST, Step, body_of, decide, marker, settled

HEAD = "a1" * 20


def comment(number: int, author: str, body: str) -> Comment:
    return Comment(id=number, body=body, user=User(login=author))


@settings(deadline=None)
@given(
    st.text(),
    st.text(max_size=30),
    st.sampled_from(["", "https://h/o/r/actions/runs/1", "javascript:x", "https://h/a b)"]),
)
def test_a_body_begins_with_its_marker_and_is_never_too_long(key, report, run):
    body = body_of(key, report * 30_000 if report else "", HEAD, run)
    assert body.split("\n")[0] == marker(key)
    assert len(body) <= LONGEST
    assert "javascript" not in body.rpartition("<sub>")[2]


@given(st.text())
def test_a_marker_is_one_line_that_nothing_in_the_key_can_end(key):
    assert len(marker(key)) == len(marker(""))
    assert marker(key).isascii()
    assert marker(key).count("-->") == 1


def test_a_report_that_is_too_long_ends_at_a_line():
    body = body_of("k", "word word word\n" * 10_000, HEAD, "")
    assert len(body) <= LONGEST
    assert "word\n\n(the rest did not fit)\n\n<sub>" in body


AUTHORS = st.sampled_from(["me", "ME", "you", ""])
BODIES = st.sampled_from([f"{marker('k')}\nx", f"{marker('k')}\ny", f"{marker('j')}\nx", "x", f" {marker('k')}"])


@given(st.lists(st.tuples(AUTHORS, BODIES), max_size=6), st.booleans())
def test_only_ours_are_ever_touched(written, worth_it):
    there = [comment(index, author, body) for index, (author, body) in enumerate(written)]
    plan = decide(reversed(there), "Me", f"{marker('k')}\nx", worth_it=worth_it)
    expected = [one for one in there if one.author.lower() == "me" and one.text.startswith(marker("k"))]
    assert list(plan.ours) == expected
    if not expected:
        assert plan.step is (Step.CREATE if worth_it else Step.NOTHING)
    else:
        assert plan.step is (Step.KEEP if expected[0].text.endswith("x") else Step.UPDATE)


def test_nobody_writes_nothing():
    assert decide([comment(1, "", f"{marker('k')}\nx")], "", f"{marker('k')}\nx", worth_it=True).ours == ()


def test_settled_leaves_out_duration_and_run_alone():
    first = body_of("k", "- rows: 1 before, 2 after, 3 cached; 1.5 s\nwords", HEAD, "https://h/o/r/actions/runs/1")
    second = body_of("k", "- rows: 1 before, 2 after, 0 cached; 9.0 s\nwords", HEAD, "https://h/o/r/actions/runs/2")
    third = body_of("k", "- rows: 1 before, 2 after, 0 cached; 9.0 s\nwords", "b2" * 20, "https://h/o/r/actions/runs/2")
    assert settled(first) == settled(second) != settled(third)
