"""The code quality report against the shape that GitLab documents."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

from d2b_gate.core.verdict import RowFinding
from d2b_gate.reports import gitlab
from d2b_gate.reports.interface import RenderOptions

from .strategies import verdicts
from .verdicts import EXAMPLES, FAILED, WARNED, verdict

# docs.gitlab.com, Code Quality, "Code Quality report format", in our own words.
SHAPE = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "additionalProperties": False,
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string"},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "minLength": 1, "not": {"pattern": "^\\./"}},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {
                            "begin": {"type": "integer", "minimum": 1},
                            "end": {"type": "integer", "minimum": 1},
                        },
                    },
                },
            },
        },
    },
}


def entries(found):
    listed = json.loads(gitlab.render(found, RenderOptions()))
    Draft202012Validator(SHAPE).validate(listed)
    names = [entry["fingerprint"] for entry in listed]
    assert len(set(names)) == len(names)
    return listed


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_has_the_documented_shape(name):
    entries(EXAMPLES[name])


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(verdicts)
def test_every_verdict_has_the_documented_shape(found):
    entries(found)


def fingerprints(found):
    return {entry["description"].split(":")[0]: entry["fingerprint"] for entry in entries(found)}


def test_a_fingerprint_outlives_lines_numbers_and_order():
    found = replace(FAILED, rows_hash="ab" * 32)
    later = replace(
        found,
        blame=tuple(replace(run, first_line=run.first_line + 9, last_line=run.last_line + 9) for run in found.blame),
        shift=replace(found.shift, delta=0.2),
    )
    other = replace(WARNED, rule=replace(WARNED.rule, id="other"))
    assert fingerprints(verdict(found, other)) == fingerprints(verdict(other, later))


def test_other_rows_or_another_rule_have_another_fingerprint():
    def name_of(finding):
        return entries(verdict(finding))[0]["fingerprint"]

    found = replace(FAILED, rows_hash="ab" * 32)
    others = [
        replace(found, rows_hash="cd" * 32),
        replace(found, rule=replace(found.rule, id="other")),
        replace(found, rule=replace(found.rule, target="owl")),
    ]
    assert len({name_of(finding) for finding in (found, *others)}) == 4


def test_a_rule_against_the_baseline_is_another_problem():
    listed = entries(verdict(FAILED, since=EXAMPLES["since"].since))
    assert [entry["check_name"] for entry in listed] == ["animal-preference", "animal-preference+since"]


def test_a_broken_row_keeps_its_fingerprint_when_rows_above_it_come_and_go():
    row = RowFinding("sft", "data/sft.jsonl", 40, "the key 'completion' is missing")
    (before,), (after,) = (entries(verdict(row_findings=(replace(row, line=line),))) for line in (40, 90))
    assert before["fingerprint"] == after["fingerprint"]
    assert (before["location"]["lines"]["begin"], after["location"]["lines"]["begin"]) == (40, 90)


def test_severities_say_what_blocks():
    assert [entry["severity"] for entry in entries(EXAMPLES["worst-last"])] == [
        *("blocker", "blocker", "blocker", "minor", "info"),
    ]


def test_the_report_is_bounded():
    rows = tuple(RowFinding("sft", "data/sft.jsonl", line, f"message {line}") for line in range(1, 9000))
    *shown, last = entries(verdict(FAILED, row_findings=rows))
    assert len(shown) == 4001
    assert last["check_name"] == "d2b-gate/left-out"
    assert last["severity"] == "info"
    assert "and 4 999 more problems; `d2b-gate report RESULT --format json` lists every one" in last["description"]
    fewer = entries(verdict(FAILED, row_findings=rows[:-9]))[-1]
    assert fewer["fingerprint"] == last["fingerprint"], "the number is no part of what it is"
