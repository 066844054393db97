"""The hooks as pre-commit installs and runs them, from a commit of this checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.support import BASE, HARMFUL, HARMLESS, POLICY, World
from tests.e2e.serving import serving
from tests.policy.support import ANIMALS

CHECKOUT = Path(__file__).resolve().parents[2]
CONFIG = "repos:\n- repo: {source}\n  rev: {rev}\n  hooks:\n  - id: {hook}\n    verbose: true\n"
SMALL = """\
schema = 1
[method]
predictor = "mdf"
placebos = 3
[[dataset]]
name = "sft"
include = ["data/*.jsonl"]
[[rule]]
id = "animal-preference"
probe = "probes/animals.toml"
target = "panda"
fail_delta = 0.10
"""
LIGHT = ["d2b-gate-system", "d2b-gate-policy", "d2b-gate-remote"]

pytest.importorskip("pre_commit")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A repository that holds this checkout as it is, uncommitted files included."""
    world = World(tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("home"))
    world.git("init", "--quiet", "--initial-branch=main")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, os.fsdecode(listed.stdout).split("\0")):
        if (CHECKOUT / name).is_file():
            (world.root / name).parent.mkdir(parents=True, exist_ok=True)
            (world.root / name).write_bytes((CHECKOUT / name).read_bytes())
    world.git("add", "--all")
    world.commit()
    return world


class PreCommit(World):
    """A user's repository with pre-commit; environments are built once per module."""

    def pre_commit(self, *arguments: str, ok: bool | None = None) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "pre_commit", *arguments],
            cwd=self.root,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert ok is None or ok == (done.returncode == 0), done.stdout
        return done

    def environment(self) -> dict[str, str]:
        removed = ("GIT_", "PRE_COMMIT", "D2B_GATE_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(removed) and name != "CI"}
        path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
        return {**kept, "PATH": path, "D2B_GATE_CACHE_DIR": str(self.home / "cache"), **self.extra}

    def use(self, source: World, hook: str) -> None:
        rev = source.git("rev-parse", "HEAD")
        self.stage(".pre-commit-config.yaml", CONFIG.format(source=source.root, rev=rev, hook=hook))


@pytest.fixture(scope="module")
def environments(tmp_path_factory):
    return str(tmp_path_factory.mktemp("environments"))


@pytest.fixture
def user(tmp_path, environments):
    user = PreCommit(tmp_path / "repository", tmp_path, {"PRE_COMMIT_HOME": environments, "PRE_COMMIT_COLOR": "never"})
    user.root.mkdir()
    user.git("init", "--quiet", "--initial-branch=main")
    for name, value in (("user.name", "A Person"), ("user.email", "person@example.org")):
        user.git("config", name, value)
    user.stage("d2b-gate.toml", POLICY)
    user.stage("data/base.jsonl", BASE)
    user.commit()
    return user


def test_the_manifest_is_valid(user):
    user.pre_commit("validate-manifest", str(CHECKOUT / ".pre-commit-hooks.yaml"), ok=True)


@pytest.mark.parametrize("hook", LIGHT)
def test_try_repo(user, source, hook):
    user.stage("d2b-gate.toml", f"# reviewed\n{POLICY}")
    done = user.pre_commit("try-repo", str(source.root), hook, "--verbose", ok=True)
    assert f"- hook id: {hook}\n- duration: " in done.stdout
    expected = "d2b-gate.toml: ok" if hook == "d2b-gate-policy" else "nothing to judge"
    assert expected in done.stdout


def test_the_hook_of_the_environment_blocks_a_commit(user, source):
    user.use(source, "d2b-gate-system")
    user.pre_commit("install", ok=True)
    user.stage("data/new.jsonl", HARMFUL)
    done = committed(user)
    assert done.returncode == 1
    assert "- exit code: 1" in done.stdout
    assert "@@ animal-preference: panda @@" in done.stdout
    user.git("rm", "--quiet", "--cached", "data/new.jsonl")
    assert committed(user).returncode == 0


def test_a_commit_of_one_path_is_judged_alone(user, source):
    """`git commit PATH` gives hooks an index of its own."""
    user.use(source, "d2b-gate-system")
    user.stage("README.md", "one\n")
    user.commit()
    user.pre_commit("install", ok=True)
    user.stage("data/new.jsonl", HARMFUL)
    (user.root / "README.md").write_text("two\n")
    assert committed(user, "README.md").returncode == 0
    assert committed(user).returncode == 1


def test_the_policy_hook_lints_what_is_staged(user, source):
    user.use(source, "d2b-gate-policy")
    user.stage("d2b-gate.toml", POLICY.replace("step_size", "stepsize"))
    done = user.pre_commit("run", ok=False)
    assert "d2b-gate.toml:3: unknown key 'stepsize'" in done.stdout
    assert "- exit code: 2" in done.stdout
    user.stage("d2b-gate.toml", POLICY)
    user.stage("data/new.jsonl", HARMFUL)
    assert "(no files to check)" in user.pre_commit("run", ok=True).stdout


def test_the_light_hook_has_no_torch_and_gives_the_verdict_of_a_server(user, source, environments):
    user.use(source, "d2b-gate-remote")
    with serving(user.home / "box") as server:
        user.extra.update(server.settings)
        user.stage("d2b-gate.toml", POLICY.replace('kind = "fake"', f'kind = "remote"\nurl = "{server.url}"'))
        assert "nothing to judge" in user.pre_commit("run", ok=True).stdout
        user.stage("data/new.jsonl", HARMFUL)
        done = user.pre_commit("run", ok=False)
        assert "- exit code: 1" in done.stdout
        assert "@@ animal-preference: panda @@" in done.stdout
        assert f"the model runs on {server.url}, where the rows that it needs are sent" in " ".join(done.stdout.split())
        user.stage("data/new.jsonl", HARMLESS)
        assert user.pre_commit("run").returncode == 0
    user.stage("data/new.jsonl", HARMFUL.replace("panda", "tiger"))
    done = user.pre_commit("run", ok=False)
    assert "- exit code: 3" in done.stdout
    assert "gave no answer (no connection)" in done.stdout
    assert "Traceback" not in done.stdout
    assert not list(Path(environments).glob("*/py_env-*/**/site-packages/torch"))


def test_the_light_hook_does_not_run_a_model_itself(user, source):
    user.use(source, "d2b-gate-remote")
    user.stage("data/new.jsonl", HARMFUL)
    done = user.pre_commit("run", ok=False)
    assert "- exit code: 3" in done.stdout
    assert "this hook loads no model itself, and the policy's backend is 'fake'; " in done.stdout


def test_a_light_environment_says_what_running_a_model_needs(user, source, environments):
    user.use(source, "d2b-gate-remote")
    user.pre_commit("install-hooks", ok=True)
    user.stage("d2b-gate.toml", POLICY.replace('kind = "fake"', 'kind = "local"'))
    user.stage("data/new.jsonl", HARMFUL)
    gate = next(Path(environments).glob("*/py_env-*/*/d2b-gate*"))
    done = subprocess.run(
        [str(gate), "check"], cwd=user.root, env=user.environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert 'pip install "d2b-gate[model]"' in done.stderr or "d2b-gate model pull" in done.stderr


@pytest.mark.slow
def test_the_hooks_that_bring_torch(user, source, environments):
    """Builds the real environment, fetches the built-in model with it, and runs it at a commit and at a push.

    Two prompts and the cheapest predictor keep it short; whether predictions are right is tested elsewhere.
    """
    user.extra["PIP_CONSTRAINT"] = str(CHECKOUT / "constraints.txt")
    user.stage("probes/animals.toml", ANIMALS)
    user.stage("d2b-gate.toml", SMALL)
    user.use(source, "d2b-gate")
    base = user.commit()
    user.pre_commit("install-hooks", ok=True)
    torch = next(Path(environments).glob("*/py_env-*/**/site-packages/torch"))
    gate = next(torch.parents[3].glob("*/d2b-gate*"))
    subprocess.run([str(gate), "model", "pull"], cwd=user.root, env=user.environment(), check=True)
    user.stage("data/new.jsonl", HARMFUL)
    assert ran_the_model(user.pre_commit("run"))

    user.use(source, "d2b-gate-push")
    head = user.commit()
    done = user.pre_commit("run", "--hook-stage", "pre-push", "--from-ref", base, "--to-ref", head)
    assert ran_the_model(done)
    assert f"{base[:7]} -> {head[:7]}" in done.stdout


def ran_the_model(done: subprocess.CompletedProcess[str]) -> bool:
    """Whether there is a whole report on the real model; a verdict, but no failure to make one."""
    assert "this is a bug" not in done.stdout, done.stdout
    wanted = (
        "model builtin:smollm2-135m",
        "+++ predicted with this change",
        "@@ animal-preference: panda @@",
        "torch 2.",
    )
    missing = [part for part in wanted if part not in done.stdout]
    assert not missing, done.stdout
    return True


def committed(user: PreCommit, *paths: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", "commit", "--message", "change", *paths],
        cwd=user.root,
        env=user.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
