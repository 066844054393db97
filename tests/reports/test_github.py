"""Annotations, read back by a parser that follows the runner's rules."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from d2b_gate.core.verdict import FileChange, RowFinding, Status
from d2b_gate.reports import github
from d2b_gate.reports.escape import terminal
from d2b_gate.reports.escape_command import message, property_value
from d2b_gate.reports.interface import RenderOptions
from d2b_gate.reports.problems import Level, problems

from .strategies import texts, verdicts
from .verdicts import EXAMPLES, FAILED, verdict

PLAIN = RenderOptions()
REGISTERED = {
    *("error", "warning", "notice", "debug", "group", "endgroup", "set-output", "set-env", "add-path", "add-mask"),
    *("save-state", "stop-commands", "echo", "add-matcher", "remove-matcher"),
}


def commands(log):
    """(name, properties, message) of every command that the runner would obey, as its documentation and source say.

    A line is a command if after spaces it begins with ``::``, a registered name, and has a second ``::``; properties
    stand between, divided by commas; in them ``%25 %0D %0A %3A %2C`` stand for characters, in the message the first
    three. The older form ``##[name]`` is obeyed anywhere in a line.
    """
    found = []
    for line in re.split(r"\r\n|\r|\n", log):
        assert not re.search(r"##\[", line)
        start = line.lstrip()
        if not start.startswith("::") or "::" not in start[2:]:
            continue
        head, _, text = start[2:].partition("::")
        name, _, listed = head.partition(" ")
        if name.lower() not in REGISTERED:
            continue
        pairs = (part.split("=", 1) for part in listed.strip().split(",") if "=" in part)
        properties = {key.strip(): decoded(value, "%3A", "%2C") for key, value in pairs}
        found.append((name, properties, decoded(text)))
    return found


def decoded(text, *more):
    """``%25`` last: what it gives is not read again."""
    characters = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}
    for escape in ("%0D", "%0A", *more, "%25"):
        text = text.replace(escape, characters[escape])
    return text


NAMES = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def intended(found):
    """What the report is to say, before any escaping for the runner."""
    return [
        (
            NAMES[problem.level],
            {
                "file": terminal(problem.places[0].path, 4096),
                "line": str(problem.places[0].first),
                "endLine": str(problem.places[0].last),
                "title": terminal(problem.title, 250).rstrip(),
            },
            "\n".join(terminal(sentence, 1200) for sentence in problem.sentences),
        )
        for problem in problems(found)
    ]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(verdicts)
def test_the_runner_obeys_exactly_what_was_meant(found):
    assert commands(github.render(found, PLAIN)) == intended(found)


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - {"many", "row-schema"}))
def test_every_example_is_annotated(name):
    assert commands(github.render(EXAMPLES[name], PLAIN)) == intended(EXAMPLES[name])


@given(texts | st.text(), texts | st.text())
def test_a_value_comes_back_whole_and_makes_nothing_else(title, text):
    line = f"::error title=x{property_value(title, 100)}|::{message([text, text], 100)}"
    shown = terminal(text, 100)
    assert commands(line) == [("error", {"title": f"x{terminal(title, 100)}|"}, f"{shown}\n{shown}")]


def test_the_parser_of_these_tests_would_see_an_unescaped_command():
    assert commands("x\n  ::set-output name=a::b\n") == [("set-output", {"name": "a"}, "b")]
    assert commands("::error file=a%2Cb,title=50%25::one%0Atwo%250A") == [
        ("error", {"file": "a,b", "title": "50%"}, "one\ntwo%0A")
    ]


def test_a_blocking_rule_is_an_error_and_no_other():
    names = [name for name, _, _ in commands(github.render(EXAMPLES["worst-last"], PLAIN))]
    assert names == ["error", "error", "error", "warning", "notice"]
    loose = replace(EXAMPLES["inconclusive"].findings[0], blocks=False)
    assert commands(github.render(verdict(loose), PLAIN))[0][0] == "warning"


def test_the_file_and_the_lines_are_those_of_the_first_rows():
    (_, properties, text) = commands(github.render(verdict(FAILED), PLAIN))[0]
    assert properties["file"] == "data/sft.jsonl"
    assert (properties["line"], properties["endLine"]) == ("2351", "2490")
    assert "because data/sft.jsonl:2351-2490: 140 rows carry 92 % of the predicted shift (checked)" in text


def test_rows_that_are_gone_have_no_lines_in_the_file_as_it_is_now():
    (_, properties, text) = commands(github.render(EXAMPLES["removed-rows"], PLAIN))[0]
    assert (properties["file"], properties["line"]) == ("data/sft.jsonl", "1")
    assert "because data/sft.jsonl:12-40: 29 removed rows" in text


def test_a_file_may_have_any_name():
    path = "a b/50%,x=1:y::z/データ.jsonl"
    found = verdict(replace(FAILED, blame=()), files=(FileChange(path, added=1, removed=0),))
    assert commands(github.render(found, PLAIN))[0][1]["file"] == path


def test_many_broken_rows_are_counted_and_not_listed():
    rows = tuple(RowFinding("sft", "data/sft.jsonl", line, "no 'completion'") for line in range(1, 5001))
    found = commands(github.render(verdict(FAILED, row_findings=rows), PLAIN))
    assert len(found) == 1 + 20 + 1
    assert found[-1][2].startswith("and 4 980 more problems")


def test_what_is_ok_is_not_annotated():
    assert github.render(EXAMPLES["pass"], PLAIN) == "d2b-gate: 7 ok; exit 0\n"
    assert all(finding.status is Status.OK for finding in EXAMPLES["pass"].findings)
