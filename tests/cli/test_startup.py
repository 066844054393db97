"""What a command imports before it needs it; timings are in benchmarks/startup.py."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.cli.support import HARMFUL, HARMLESS, POLICY, environment

CHILD = """
import sys
from d2b_gate.cli import main
try:
    code = main(sys.argv[1:])
except SystemExit as leaving:
    code = leaving.code
print("code", code)
print("modules", *sorted(sys.modules))
"""

GIT = {"rev-parse", "ls-files", "cat-file", "diff", "ls-tree", "diff-tree", "config", "symbolic-ref"}
HEAVY = {
    "pydantic",
    "numpy",
    "torch",
    "transformers",
    "requests",
    "rich",
    "jsonschema",
    "pyarrow",
    "asyncio",
    "sqlite3",
    "jinja2",
    "matplotlib",
}


def loaded(world, *arguments, code=0, whole=False, **more):
    """Packages that a command imports, or ``whole`` names of modules."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *arguments],
        cwd=world.root,
        env=environment(world.home, **more),
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"code {code}\n" in done.stdout, done.stdout + done.stderr
    names = done.stdout.rpartition("modules ")[2].split()
    return {name if whole else name.partition(".")[0] for name in names}


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("check", "--help"), ("policy", "lint", "--help")])
def test_asking_for_help_imports_nothing_heavy(world, arguments):
    modules = loaded(world, *arguments)
    assert "d2b_gate" in modules
    assert not modules & (HEAVY | {"subprocess"})


@pytest.mark.parametrize("stage", ["pre-commit", "pre-push"])
def test_a_hook_with_nothing_to_do_imports_nothing_heavy(world, stage):
    base = world.git("rev-parse", "HEAD")
    world.stage("README.md", "two\n")
    refs = {}
    if stage == "pre-push":
        refs = {"PRE_COMMIT_FROM_REF": base, "PRE_COMMIT_TO_REF": world.commit()}
    modules = loaded(world, "hook", stage, **refs)
    assert "subprocess" in modules
    assert not modules & (HEAVY | {"argparse", "dataclasses", "shutil", "json"})


def test_the_guard_sees_what_a_hook_with_work_imports(world):
    world.stage("data/new.jsonl", HARMLESS)
    assert {"pydantic", "numpy"} <= loaded(world, "hook", "pre-commit")


@pytest.mark.parametrize(("rows", "code"), [(HARMLESS, 0), (HARMFUL, 1)])
def test_a_verdict_that_is_known_imports_nothing_that_judges(world, rows, code):
    world.stage("data/new.jsonl", rows)
    assert "d2b_gate.gate.check" in loaded(world, "hook", "pre-commit", code=code, whole=True)
    modules = loaded(world, "hook", "pre-commit", code=code, whole=True)
    assert not modules & {"d2b_gate.gate.check", "d2b_gate.gate.evaluate"}
    packages = {name.partition(".")[0] for name in modules}
    assert packages & (HEAVY | {"safetensors"}) <= {"pydantic", "sqlite3", "numpy"}  # the fake model is made of numpy


def test_the_policy_is_linted_and_results_are_rendered_without_numpy(world):
    assert not loaded(world, "policy", "lint") & {"numpy", "torch", "requests", "rich"}
    world.stage("data/new.jsonl", HARMLESS)
    assert world.gate("check", "--output-file", "json=result.json").returncode == 0
    assert not loaded(world, "report", "result.json") & {"numpy", "torch", "pydantic", "requests", "rich", "jinja2"}


def test_receipts_are_made_unsigned_and_shown_without_what_signs(world):
    world.stage("data/new.jsonl", HARMLESS)
    assert world.gate("check", "--output-file", "json=result.json").returncode == 0
    heavy = HEAVY | {"securesystemslib", "cryptography"}
    assert not loaded(world, "receipt", "create", "result.json", "--output", "receipt.json") & heavy
    assert not loaded(world, "receipt", "show", "receipt.json") & heavy


def test_doctor_finds_torch_without_importing_it(world):
    world.stage("d2b-gate.toml", POLICY.replace('"fake"', '"local"'))
    assert not loaded(world, "doctor", code=3) & {"torch", "transformers", "accelerate", "numpy"}


@pytest.mark.skipif(sys.platform == "win32", reason="git is shadowed by a shell script")
def test_a_hook_with_nothing_to_do_starts_git_four_times(world, tmp_path):
    """Where is the repository, where is the policy, what does it say, what is staged."""
    log, shim = tmp_path / "log", tmp_path / "git"
    shim.write_text(f'#!/bin/sh\necho "$@" >> "{log}"\nexec "{shutil.which("git")}" "$@"\n')
    shim.chmod(0o755)
    world.stage("README.md", "two\n")
    assert world.gate("hook", "pre-commit", PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}").returncode == 0
    asked = [next(word for word in line.split() if word in GIT) for line in log.read_text().splitlines()]
    assert asked == ["rev-parse", "ls-files", "cat-file", "diff"]
