"""The guide on CI: its session runs as printed, and its tables name what the action has."""

from __future__ import annotations

import re

import yaml

from tests.action.runner import ACTION
from tests.cli.guides import GUIDES, run_session

GUIDE = (GUIDES / "ci.md").read_text(encoding="utf-8")


def test_the_session_runs_as_printed(empty):
    code, came, said = run_session(empty, "ci.md")
    assert (code, came) == (0, said)


def test_the_tables_name_every_input_and_output():
    action = yaml.safe_load((ACTION / "action.yml").read_text())
    rows = re.findall(r"^\| (`.*?) \|", GUIDE, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([\w-]+)`", row)}
    assert {*action["inputs"], *action["outputs"]} <= named


def test_files_that_the_guide_names_are_there():
    for path in re.findall(r"\]\(\.\./([^)#]+)\)", GUIDE):
        assert (GUIDES.parent / path).is_file(), path
