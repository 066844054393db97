"""The README says what the results say."""

from __future__ import annotations

import json

import pytest

from benchmarks.fidelity import RESULTS
from benchmarks.scoring.markdown import BEGIN, END, block, rewrite
from benchmarks.truth.sources import ROOT

FILE = RESULTS / "fidelity.json"


@pytest.mark.skipif(not FILE.is_file(), reason="no results are committed yet")
def test_the_readme_shows_the_committed_figures(tmp_path):
    record = json.loads(FILE.read_text(encoding="utf-8"))
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{BEGIN}\n{block(record)}\n{END}" in text
    copy = tmp_path / "README.md"
    copy.write_text(text.replace("held-out", "held in"), encoding="utf-8")
    assert rewrite(copy, record)
    assert f"{BEGIN}\n{block(record)}\n{END}" in copy.read_text(encoding="utf-8")


def test_a_readme_without_marks_is_left_alone(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("nothing", encoding="utf-8")
    assert not rewrite(readme, {})
    assert readme.read_text(encoding="utf-8") == "nothing"
