"""SARIF against the OASIS schema, and what code scanning makes of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from d2b_gate.core.verdict import Control, FileChange, RowFinding
from d2b_gate.reports import sarif
from d2b_gate.reports.interface import RenderOptions
from d2b_gate.reports.sarif_results import uri

from .schemas import published
from .strategies import texts, verdicts
from .verdicts import EDITS, EXAMPLES, FAILED, verdict


@pytest.fixture(scope="module")
def validator():
    return Draft7Validator(published("sarif-schema-2.1.0.json"))


def run_of(found):
    return json.loads(sarif.render(found, RenderOptions()))["runs"][0]


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_valid(name, validator):
    validator.validate(json.loads(sarif.render(EXAMPLES[name], RenderOptions())))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(found=verdicts)
def test_every_verdict_is_valid(found, validator):
    validator.validate(json.loads(sarif.render(found, RenderOptions())))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(verdicts)
def test_every_result_names_its_rule_and_no_text_is_a_link(found):
    run = run_of(found)
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(set(rules)) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["locations"]
    names = [result["partialFingerprints"]["d2bGateProblem/v1"] for result in run["results"]]
    assert len(set(names)) == len(names)
    for text in re.findall(r'"text": "(.*)"', sarif.render(found, RenderOptions())):
        assert "](" not in text


def test_every_rule_is_described_and_only_what_is_not_ok_is_a_result():
    run = run_of(EXAMPLES["fail"])
    assert len(run["tool"]["driver"]["rules"]) == 8
    assert [result["ruleId"] for result in run["results"]] == ["animal-preference"]
    (result,) = run["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "data/sft.jsonl"
    assert place["region"] == {"startLine": 2351, "endLine": 2490}
    assert [one["physicalLocation"]["region"]["startLine"] for one in result["relatedLocations"]] == [7]


def test_a_waiver_is_an_accepted_suppression_and_raises_no_alarm_where_those_are_not_known():
    (result,) = run_of(EXAMPLES["waived"])["results"]
    assert result["level"] == "note"
    assert result["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "The zoo's assistant is meant to like pandas.",
        }
    ]


def test_what_is_the_same_twice_is_told_once(validator):
    waived = EXAMPLES["waived"].findings[0]
    gone = replace(EXAMPLES["removed-rows"].findings[0], blame=EXAMPLES["removed-rows"].findings[0].blame * 3)
    found = verdict(replace(waived, waived_by=waived.waived_by * 2), gone)
    validator.validate(json.loads(sarif.render(found, RenderOptions())))
    assert [len(result.get("suppressions", [])) for result in run_of(found)["results"]] == [0, 1]


def test_levels_say_what_blocks():
    levels = [result["level"] for result in run_of(EXAMPLES["worst-last"])["results"]]
    assert levels == ["error", "error", "error", "warning", "note"]


def test_the_exit_code_and_failed_controls_are_told_by_the_invocation():
    run = run_of(verdict(FAILED, controls=(Control("canary", passed=False, detail="moved by +0.1 nats"),)))
    (invocation,) = run["invocations"]
    assert (invocation["exitCode"], invocation["executionSuccessful"]) == (3, False)
    assert invocation["exitCodeDescription"].startswith("could not evaluate: ")
    assert invocation["toolExecutionNotifications"] == [
        {"level": "error", "message": {"text": "canary did not fire (moved by +0.1 nats)"}}
    ]


def test_edits_of_the_policy_point_at_their_lines():
    results = run_of(verdict(policy_changes=EDITS))["results"]
    places = [result["locations"][0]["physicalLocation"] for result in results]
    assert [(place["artifactLocation"]["uri"], place["region"]["startLine"]) for place in places] == [
        ("d2b-gate.toml", 14),
        ("d2b-gate.waivers.toml", 1),
        ("probes/own.toml", 1),
        ("d2b-gate.toml", 1),
        ("d2b-gate.toml", 20),
    ]


def test_no_more_results_than_code_scanning_shows():
    rows = tuple(RowFinding("sft", "data/sft.jsonl", line, "no 'completion'") for line in range(1, 9000))
    findings = tuple(replace(FAILED, rule=replace(FAILED.rule, id=f"r{number}")) for number in range(2000))
    run = run_of(verdict(*findings, row_findings=rows))
    assert len(run["results"]) == 5000
    assert "and 5 999 more problems" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


def test_a_uri_is_relative_and_names_the_same_file():
    for path in ("data/sft.jsonl", "a b/50%.jsonl", "データ/学習.jsonl", "x:y/#1?.jsonl", "c:\\x", "\udcff.jsonl"):
        shown = uri(path)
        assert re.fullmatch(r"(?:[A-Za-z0-9_.~/-]|%[0-9A-F]{2})+", shown)
        assert unquote_to_bytes(shown) == path.encode("utf-8", "surrogateescape")


@given(texts | st.text())
def test_no_text_is_an_absolute_uri(text):
    shown = uri(text)
    assert not re.match(r"/|[A-Za-z][A-Za-z0-9+.-]*:", shown)
    assert shown.isascii()


def test_a_finding_without_rows_points_at_what_changed():
    (result,) = run_of(verdict(replace(FAILED, blame=()), files=(FileChange("a b.jsonl", 1, 0),)))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b.jsonl"
