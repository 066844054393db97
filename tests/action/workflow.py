"""Runs a workflow file job by job: conditions, needs, checkouts and the action; other `uses:` steps are recorded."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field

import yaml

from tests.action.expressions import condition, interpolate


@dataclass
class Jobs:
    """How each job ended, and what the action showed in it."""

    results: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, object] = field(default_factory=dict)
    used: dict[str, list[str]] = field(default_factory=dict)


def run_workflow(forge, event, file):
    """Run what GitHub would run; jobs stand in the order of their needs."""
    workflow, jobs = yaml.safe_load(file.read_text(encoding="utf-8")), Jobs()
    assert event.name in workflow[True], "the event does not start this workflow"
    for name, job in workflow["jobs"].items():
        needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
        contexts = {
            "github": {"event_name": event.name, "event": event.payload, "repository": "acme/data", "token": "x"},
            "needs": {other: {"result": jobs.results[other]} for other in needs},
            "inputs": {},
            "runner": {"temp": str(forge.home)},
            "steps": {},
            "functions": {
                "success": lambda needs=needs: all(jobs.results[other] == "success" for other in needs),
                "always": lambda: True,
            },
        }
        if condition(job.get("if", "success()"), contexts):
            jobs.results[name] = "success" if _run_job(forge, event, job, contexts, jobs, name) else "failure"
        else:
            jobs.results[name] = "skipped"
    return jobs


def _run_job(forge, event, job, contexts, jobs, name):
    place = forge.home
    for step in job["steps"]:
        given = {key: interpolate(value, contexts) for key, value in step.get("with", {}).items()}
        uses = step.get("uses", "").partition("@")[0]
        jobs.used.setdefault(name, []).append(uses)
        if uses == "actions/checkout":
            place = forge.checkout(given.get("ref", event.sha), depth=int(given.get("fetch-depth", 1)))
        elif uses == "your-org/d2b-gate/action":
            jobs.outcomes[name] = outcome = forge.runner(event, place).run(**{**given, "python": sys.executable})
            if outcome.failed:
                return False
        elif "run" in step and not _run_script(step, contexts):
            return False
    return True


def _run_script(step, contexts):
    variables = {key: interpolate(value, contexts) for key, value in step.get("env", {}).items()}
    argv = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    return subprocess.run(argv, env={**os.environ, **variables}, capture_output=True, check=False).returncode == 0
