"""The html report from the command line: written beside other reports, with earlier results, or refused in time."""

from __future__ import annotations

import os
import re
import sys

import pytest

from d2b_gate.cli import main
from tests.cli.support import HARMFUL, HARMLESS

EXTRA = 'run: pip install "d2b-gate[html]"'


def test_a_check_writes_the_page_and_ends_as_without_it(world):
    world.stage("data/new.jsonl", HARMFUL)
    done = world.gate("check", "--output-file", "html=report.html", "--output-file", "json=result.json")
    assert done.returncode == 1, done.stderr
    page = (world.root / "report.html").read_text("utf-8")
    assert "<h1>" in page
    assert "The policy is violated" in page
    again = world.gate("report", "result.json", "--format", "html")
    assert (again.returncode, again.stderr) == (1, "")
    assert again.stdout.startswith("<!DOCTYPE html>\n")


def test_earlier_results_of_the_same_rule_are_shown(world):
    results = world.home / "cache" / "results"
    world.stage("data/new.jsonl", HARMLESS)
    world.gate("check", "--output-file", "html=first.html")
    (first,) = results.iterdir()
    os.utime(first, (1_700_000_000,) * 2)
    (results / "broken.json").write_text("{}")
    (results / "folder.json").mkdir()
    world.stage("data/new.jsonl", HARMFUL)
    world.gate("check", "--output-file", "html=second.html", "--output-file", "json=second.json")
    assert "on earlier changes" not in (world.root / "first.html").read_text("utf-8")
    second = (world.root / "second.html").read_text("utf-8")
    assert re.findall(r'class="under">(\d{4}-\S+ \S+) ', second) == ["2023-11-14 22:13"]
    assert 'id="f1-course-title"' in second
    again = world.gate("report", str(first), "--format", "html").stdout
    assert "on earlier changes" not in again, "what came later is no past"


@pytest.mark.parametrize("library", ["jinja2", "matplotlib"])
def test_a_missing_extra_is_said_before_any_work(world, monkeypatch, capsys, library):
    monkeypatch.chdir(world.root)
    monkeypatch.setitem(sys.modules, library, None)
    for arguments in (["check", "--output-file", "html=r.html"], ["report", "no-such-file", "--format", "html"]):
        assert main(arguments) == 3
        assert capsys.readouterr().err == f"d2b-gate: error: the html report needs {library}; {EXTRA}\n"
    assert not (world.root / "r.html").exists()
