"""What `quarantine` prints: whole texts, and nothing hostile in them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from d2b_gate.core.quarantine import Applied, Quarantine, Turned
from d2b_gate.core.rows import RowRef
from d2b_gate.core.verdict import RowFinding, Status
from d2b_gate.reports.interface import RenderOptions
from d2b_gate.reports.quarantine import render
from tests.reports.verdicts import FAILED

HOSTILE = "\x1b[31m\u202e::error::\n::set-output"
PLAIN = RenderOptions()
AFTER = replace(FAILED, status=Status.WARN, shift=replace(FAILED.shift, delta=0.021, low=0.011, high=0.034))
CLEARED = Turned("animal-preference", FAILED, (AFTER,), wanted=True, cleared=True)


def run(path, *lines):
    return tuple(RowRef(f"{line}", path, line) for line in lines)


FOUND = Quarantine(
    scope="HEAD 3b2a91d -> index",
    away=(run("data/a.jsonl", 3, 4, 5), run("data/b.csv", 12)),
    added=214,
    unranked=0,
    turned=(CLEARED,),
    broken=(),
    tries=7,
    seconds=12.34,
    smallest=True,
)
STAYS = Turned("animal-preference+since", FAILED, (FAILED,), wanted=True, cleared=False)
OTHER = Turned("owls", FAILED, (), wanted=False, cleared=True)
DRY = (Applied("/cache/results/c0de.patch"),)
CASES = {
    "dry": (FOUND, DRY),
    "written": (
        replace(FOUND, staying=23, broken=(RowFinding("sft", "data/b.csv", 12, "is too long"),)),
        (Applied("my out.patch", ("the index", "the working tree"), "/home/me/repo", ("data/b.csv",)),),
    ),
    "stdout": (replace(FOUND, smallest=False, unranked=1200, tries=1), (Applied("-"),)),
    "stays": (replace(FOUND, turned=(CLEARED, STAYS, OTHER)), DRY),
    "nothing": (replace(FOUND, away=(), turned=(), tries=0), ()),
    "removed": (replace(FOUND, away=(), turned=(STAYS,)), ()),
    "no row added": (replace(FOUND, away=(), turned=(STAYS,), added=0, tries=0), ()),
    "stuck": (replace(FOUND, stuck=(("data/b.csv.gz", "is compressed"),)), ()),
    "many runs": (replace(FOUND, away=tuple(run("a.jsonl", 3 * n) for n in range(1, 30))), DRY),
    "hostile": (
        replace(
            FOUND,
            scope=HOSTILE,
            away=(run(HOSTILE, 1),),
            turned=(replace(CLEARED, name=HOSTILE),),
            stuck=((HOSTILE, HOSTILE),),
        ),
        (Applied(HOSTILE, ("the index", "the working tree"), HOSTILE, (HOSTILE,)),),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_whole_text(name, snapshot):
    assert render(*CASES[name], PLAIN) == snapshot


def test_nothing_hostile_reaches_the_terminal():
    text = render(*CASES["hostile"], RenderOptions(width=60))
    assert text.isascii()
    assert all(line.isprintable() and not line.lstrip().startswith("::") for line in text.splitlines())


def test_all_runs_are_listed_where_a_person_must_take_the_rows_out():
    assert "and 9 more runs" in render(*CASES["many runs"], PLAIN)
    stuck = replace(CASES["many runs"][0], stuck=(("a.jsonl.gz", "is compressed"),))
    for text in (render(stuck, (), PLAIN), render(*CASES["many runs"], RenderOptions(verbose=True))):
        assert "more run" not in text
        assert text.count("a.jsonl:") == 29


def test_colour_marks_the_verdict_alone():
    plain, colored = (render(FOUND, DRY, RenderOptions(color=color)) for color in (False, True))
    assert plain != colored
    assert colored.count("\x1b[0m") == 2
