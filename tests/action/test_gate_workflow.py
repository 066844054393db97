"""The example workflow as a whole, on each way into the default branch."""

from __future__ import annotations

from tests.action.test_events import queued
from tests.action.test_examples import EXAMPLES
from tests.action.workflow import run_workflow
from tests.cli.support import HARMFUL, HARMLESS

GATE = EXAMPLES / "github" / "gate.yml"
NONE = {"code-scanning": "skipped"}


def test_a_pull_request_that_is_blocked(forge):
    forge.commit("topic", {"data/new.jsonl": HARMFUL}, after="main")
    jobs = run_workflow(forge, forge.pull("topic"), GATE)
    assert jobs.results == {"structure": "success", "evaluate": "failure", "verdict": "failure", **NONE}
    assert jobs.outcomes["evaluate"].outputs["verdict"] == "fail"


def test_a_pull_request_that_passes(forge):
    forge.commit("topic", {"data/new.jsonl": HARMLESS}, after="main")
    jobs = run_workflow(forge, forge.pull("topic"), GATE)
    assert jobs.results == {"structure": "success", "evaluate": "success", "verdict": "success", **NONE}


def test_a_fork_is_read_and_not_evaluated_and_not_merged(forge):
    forge.commit("topic", {"data/new.jsonl": HARMLESS}, after="main")
    jobs = run_workflow(forge, forge.pull("topic", repository="mallory/data"), GATE)
    assert jobs.results == {"structure": "success", "evaluate": "skipped", "verdict": "failure", **NONE}


def test_rows_that_cannot_be_read_never_reach_the_gpu(forge):
    forge.commit("topic", {"data/new.jsonl": "{broken\n"}, after="main")
    jobs = run_workflow(forge, forge.pull("topic"), GATE)
    assert jobs.results == {"structure": "failure", "evaluate": "skipped", "verdict": "failure", **NONE}


def test_a_merge_group(forge):
    forge.commit("topic", {"data/new.jsonl": HARMFUL}, after="main")
    jobs = run_workflow(forge, queued(forge, "topic"), GATE)
    assert jobs.results == {"structure": "success", "evaluate": "failure", "verdict": "failure", **NONE}


def test_a_push_past_the_gate_is_shown_in_code_scanning(forge):
    before = forge.git(forge.desk, "rev-parse", "main")
    forge.commit("main", {"data/new.jsonl": HARMFUL})
    jobs = run_workflow(forge, forge.push("main", before, protected=True), GATE)
    assert jobs.results == {
        "structure": "success",
        "evaluate": "failure",
        "verdict": "failure",
        "code-scanning": "success",
    }
    assert "github/codeql-action/upload-sarif" in jobs.used["code-scanning"]
