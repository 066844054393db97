"""Workflows that people copy: what they say to a forge, what linters say of them, and the recipe for a shell."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.action.expressions import condition, interpolate
from tests.action.forge import REPOSITORY
from tests.action.runner import ACTION, entries
from tests.cli.support import HARMFUL, HARMLESS, environment

EXAMPLES = ACTION.parent / "examples" / "ci"
WORKFLOWS = sorted((EXAMPLES / "github").glob("*.yml"))
KINDS = {"gate.yml": "workflows", "publish.yml": "workflows", "action.yml": "actions", ".gitlab-ci.yml": "gitlab-ci"}


def tool(name):
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if not found:
        pytest.skip(f"{name} is not installed here (extra dev)")
    return found


def test_the_auditor_of_workflows_finds_nothing():
    argv = [tool("zizmor"), "--offline", "--no-progress", "--persona=pedantic", str(ACTION), str(EXAMPLES / "github")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("file", [ACTION / "action.yml", *WORKFLOWS, EXAMPLES / "gitlab" / ".gitlab-ci.yml"], ids=str)
def test_files_keep_to_the_published_schemas(file):
    kind = KINDS[file.name]
    schema = "vendor.gitlab-ci" if kind == "gitlab-ci" else f"vendor.github-{kind}"
    argv = [tool("check-jsonschema"), "--builtin-schema", schema, str(file)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def gate():
    return yaml.safe_load((EXAMPLES / "github" / "gate.yml").read_text())["jobs"]


@pytest.mark.parametrize(
    ("event", "head", "runs"),
    [
        ("pull_request", REPOSITORY, True),
        ("pull_request", "mallory/data", False),
        ("pull_request", None, False),
        ("merge_group", None, True),
        ("push", None, True),
        ("workflow_dispatch", None, True),
    ],
)
def test_the_job_that_evaluates_is_skipped_for_forks(event, head, runs):
    pull = {"pull_request": {"head": {"repo": {"full_name": head} if head else None}}} if "pull" in event else {}
    github = {"event_name": event, "event": pull, "repository": REPOSITORY}
    assert condition(gate()["evaluate"]["if"], {"github": github, "functions": {"success": lambda: True}}) is runs


def test_the_job_that_evaluates_can_read_the_repository_and_nothing_else():
    jobs = gate()
    assert jobs["evaluate"]["permissions"] == jobs["structure"]["permissions"] == {"contents": "read"}
    assert jobs["evaluate"]["runs-on"] == ["self-hosted", "gpu"]
    for name in ("structure", "evaluate"):
        checkout, action = jobs[name]["steps"]
        assert checkout["with"] == {"fetch-depth": 2, "persist-credentials": False}, "no ref: the merge is judged"
        assert action["uses"].startswith("your-org/d2b-gate/action@")
        declared = yaml.safe_load((ACTION / "action.yml").read_text())["inputs"]
        assert set(action["with"]) <= set(declared)


@pytest.mark.parametrize("event", ["pull_request", "merge_group", "push", "workflow_dispatch"])
def test_a_run_by_hand_does_not_answer_for_a_pull_request(event):
    """A check is known by its name and commit alone, and a run by hand belongs to the head of the pull request."""
    name = interpolate(gate()["verdict"]["name"], {"github": {"event_name": event}})
    assert (name == "verdict") is (event != "workflow_dispatch")


def test_the_check_is_made_for_pull_requests_into_protected_branches_alone():
    """One into a branch of its author's would turn the same commit green; and a base that is changed counts anew."""
    started = yaml.safe_load((EXAMPLES / "github" / "gate.yml").read_text())[True]["pull_request"]
    assert started["branches"] == ["main"]
    assert set(started["types"]) == {"opened", "synchronize", "reopened", "edited"}


@pytest.mark.parametrize(
    ("structure", "evaluate", "code"),
    [("success", "success", 0), ("success", "failure", 1), ("success", "skipped", 1), ("failure", "skipped", 1)],
)
def test_a_skipped_job_is_no_passed_one(structure, evaluate, code):
    [step] = gate()["verdict"]["steps"]
    variables = {**os.environ, "STRUCTURE": structure, "EVALUATE": evaluate}
    argv = ["bash", "--noprofile", "--norc", "-e", "-c", step["run"]]
    done = subprocess.run(argv, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert ("::error::" in done.stdout) is (structure == "success" and evaluate == "skipped")


def test_the_job_that_comments_checks_nothing_out():
    job = yaml.safe_load((EXAMPLES / "github" / "publish.yml").read_text())["jobs"]["comment"]
    assert not [step for step in job["steps"] if "checkout" in step.get("uses", "")]
    assert job["permissions"] == {"actions": "read", "pull-requests": "write"}
    for step in job["steps"]:
        assert "${{" not in step.get("run", "")


GH = """#!/bin/sh
[ "$2" = "repos/acme/data/actions/runs/5/artifacts?name=d2b-gate" ] && [ "$GH_TOKEN" = secret ] || exit 9
[ "$3 $4" = "--jq .total_count" ] && [ -n "$SAID" ] && echo "$SAID" || exit 1
"""


@pytest.mark.parametrize(
    ("said", "download", "conclusion", "last"),
    [
        ("1", True, "success", "Comment"),
        ("2", True, "failure", "Comment"),
        ("1", False, "success", "actions/download-artifact"),
        ("0", False, "success", "Nothing is left to judge"),
        ("0", False, "failure", "Install"),
        ("", False, "success", "Ask whether the run left a result"),
    ],
    ids=["a result", "a failed one", "lost in transfer", "none", "none of a failed run", "the forge does not say"],
)
def test_a_result_that_cannot_be_fetched_is_not_one_that_is_not_there(tmp_path, said, download, conclusion, last):
    """`comment --nothing` ends an earlier comment: it must not for a download that failed."""
    place = tmp_path / "bin"
    place.mkdir()
    (place / "gh").write_text(GH)
    (place / "gh").chmod(0o755)
    github = {"token": "secret", "event": {"workflow_run": {"id": 5, "conclusion": conclusion}}}
    contexts = {"github": github, "steps": {}, "functions": {"success": lambda: True, "always": lambda: True}}
    ran = []
    for step in yaml.safe_load((EXAMPLES / "github" / "publish.yml").read_text())["jobs"]["comment"]["steps"]:
        if not condition(step.get("if", "success()"), contexts):
            continue
        ran.append(step.get("name", step.get("uses", "").partition("@")[0]))
        outputs, worked = tmp_path / "outputs", "uses" not in step or download
        if step.get("id") == "left":
            variables = {key: interpolate(value, contexts) for key, value in step["env"].items()}
            known = {"GITHUB_REPOSITORY": REPOSITORY, "GITHUB_OUTPUT": str(outputs), "SAID": said}
            path = f"{place}{os.pathsep}{os.environ['PATH']}"
            argv = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
            worked = not subprocess.run(argv, env={"PATH": path, **known, **variables}, check=False).returncode
            contexts["steps"]["left"] = {"outputs": entries(outputs.read_text()) if worked else {}}
        if not worked and not step.get("continue-on-error"):
            break
    assert ran[-1] == last


def in_shell(forge, place, *arguments, **more):
    """Run the recipe."""
    return shell(forge, place, ["sh", str(EXAMPLES / "shell" / "gate.sh"), *arguments], **more)


def shell(forge, place, argv, **more):
    """Run with a d2b-gate on the path."""
    tools = forge.home / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "d2b-gate").write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -m d2b_gate "$@"\n')
    (tools / "d2b-gate").chmod(0o755)
    variables = environment(forge.home, PATH=f"{tools}{os.pathsep}{os.environ['PATH']}", **more)
    return subprocess.run(argv, cwd=place, env=variables, capture_output=True, text=True, check=False)


def test_the_template_for_gitlab(forge):
    job = yaml.safe_load((EXAMPLES / "gitlab" / ".gitlab-ci.yml").read_text())["d2b-gate"]
    base = forge.git(forge.desk, "rev-parse", "main")
    forge.commit("topic", {"data/new.jsonl": HARMFUL}, after="main")
    forge.commit("main", {"README.md": "two\n"})
    head = forge.git(forge.desk, "rev-parse", "topic")
    known = {"CI": "true", "CI_DEFAULT_BRANCH": "main", "CI_COMMIT_SHA": head, "CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
    place = forge.checkout(head, depth=0)
    done = shell(forge, place, ["bash", "-eo", "pipefail", "-c", "\n".join(job["script"])], **known)
    assert done.returncode == 1, done.stderr
    reports = job["artifacts"]["reports"]
    [issue] = json.loads((place / reports["codequality"]).read_text())
    assert issue["check_name"] == "animal-preference"
    assert "animal-preference" in (place / reports["junit"]).read_text()
    assert all((place / path).exists() for path in job["artifacts"]["paths"])


@pytest.mark.parametrize("depth", [1, 0])
def test_the_recipe_for_a_shell(forge, depth):
    forge.commit("topic", {"data/new.jsonl": HARMFUL}, after="main")
    forge.commit("main", {"README.md": "two\n"})
    place = forge.checkout(forge.git(forge.desk, "rev-parse", "topic"), depth=depth)
    done = in_shell(forge, place)
    assert done.returncode == 1, done.stderr
    kept = {file.name for file in (place / "d2b-gate-reports").iterdir()}
    assert kept == {"result.json", "d2b-gate.sarif", "d2b-gate.xml"}
    assert json.loads((place / "d2b-gate-reports" / "result.json").read_text())["findings"]


def test_the_recipe_on_the_target_branch_itself(forge):
    forge.commit("main", {"data/new.jsonl": HARMLESS})
    place = forge.checkout(forge.git(forge.desk, "rev-parse", "main"), depth=1)
    assert in_shell(forge, place).returncode == 0
    forge.commit("main", {"data/other.jsonl": HARMFUL})
    place = forge.checkout(forge.git(forge.desk, "rev-parse", "main"), depth=1)
    assert in_shell(forge, place, "main", D2B_GATE_REPORTS=str(forge.home / "kept")).returncode == 1
    assert (forge.home / "kept" / "result.json").exists()
    done = in_shell(forge, place, "nowhere")
    assert (done.returncode, "cannot fetch nowhere" in done.stderr) == (3, True)


def test_the_recipe_judges_by_the_base_s_policy(forge):
    loose = (forge.desk / "d2b-gate.toml").read_text().replace("0.10", "0.99").replace("0.05", "0.98")
    forge.commit("topic", {"d2b-gate.toml": loose, "data/new.jsonl": HARMFUL}, after="main")
    place = forge.checkout(forge.git(forge.desk, "rev-parse", "topic"), depth=0)
    assert in_shell(forge, place).returncode == 1
