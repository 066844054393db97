"""The README says what the results say."""

from __future__ import annotations

import json

import pytest

from benchmarks.blaming.markdown import RESULT as BLAME
from benchmarks.blaming.markdown import block as blame_block
from benchmarks.cost import RESULT as COST
from benchmarks.costing.goals import markdown as goals
from benchmarks.fidelity import RESULTS
from benchmarks.larger import RESULT as LARGER
from benchmarks.larger import sentence
from benchmarks.scoring.markdown import BEGIN, END, FIDELITY, block, rewrite
from benchmarks.startup import RESULT as STARTUP
from benchmarks.startup import markdown as start_table
from benchmarks.truth.sources import ROOT

FILE = RESULTS / FIDELITY
SHOWN = f"{BEGIN.format(FIDELITY)}\n{{}}\n{END}"


@pytest.mark.skipif(not FILE.is_file(), reason="no results are committed yet")
def test_the_readme_shows_the_committed_figures(tmp_path):
    record = json.loads(FILE.read_text(encoding="utf-8"))
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert SHOWN.format(block(record)) in text
    copy = tmp_path / "README.md"
    copy.write_text(text.replace("held-out", "held in"), encoding="utf-8")
    assert rewrite(copy, FIDELITY, block(record))
    assert SHOWN.format(block(record)) in copy.read_text(encoding="utf-8")


def test_the_readme_says_what_the_larger_model_gave():
    record = json.loads(LARGER.read_text(encoding="utf-8"))
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{BEGIN.format(LARGER.name)}\n{sentence(record)}\n{END}" in text


def test_the_guide_on_blame_shows_the_committed_figures():
    record = json.loads((RESULTS / BLAME).read_text(encoding="utf-8"))
    text = (ROOT / "docs" / "explain.md").read_text(encoding="utf-8")
    assert f"{BEGIN.format(BLAME)}\n{blame_block(record)}\n{END}" in text


def test_the_readme_says_how_long_a_start_takes():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    record = json.loads(STARTUP.read_text(encoding="utf-8"))
    assert f"{BEGIN.format(STARTUP.name)}\n{start_table(record)}\n{END}" in text


def test_the_readme_says_what_a_verdict_costs():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    told = goals(json.loads(COST.read_text(encoding="utf-8"))["goals"]) + "\n" if COST.is_file() else ""
    assert f"{BEGIN.format(COST.name)}\n{told}{END}" in text, "run: python -m benchmarks.cost --write-docs"


def test_a_readme_without_marks_is_left_alone(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("nothing", encoding="utf-8")
    assert not rewrite(readme, FIDELITY, "figures")
    assert readme.read_text(encoding="utf-8") == "nothing"
