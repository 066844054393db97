"""What a checkout, a runner used before, or an input may not do to the action."""

from __future__ import annotations

import ast
import base64
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from d2b_gate.cli.action import install
from d2b_gate.sources.relay import authorisation
from tests.action.runner import ACTION
from tests.action.test_pull_request import refused
from tests.cli.support import BASE, HARMFUL, HARMLESS, POLICY, environment


def planted(place: Path, marker: Path) -> str:
    script = place / "planted.sh"
    script.write_text(f"#!/bin/sh\ntouch '{marker}'\n")
    script.chmod(0o755)
    return str(script)


def test_nothing_that_the_checkout_s_git_configuration_names_is_run(forge, tmp_path):
    """Not even where the base branch has to be fetched, which moves a ref."""
    stale = forge.git(forge.desk, "rev-parse", "main")
    forge.commit("topic", {"data/new.jsonl": HARMFUL, ".gitattributes": "*.jsonl diff=own filter=own\n"}, after="main")
    forge.commit("main", {"README.md": "two\n"})
    event, marker = forge.pull("topic"), tmp_path / "was-run"
    event.payload["pull_request"]["base"]["sha"] = stale
    forge.commit("main", {"README.md": "three\n"})
    place = forge.checkout(event.sha, depth=1)
    script = planted(tmp_path, marker)
    for name in (
        "core.fsmonitor",
        "core.sshCommand",
        "core.alternateRefsCommand",
        "credential.helper",
        "diff.external",
    ):
        forge.git(place, "config", name, script)
    for name in ("diff.own.textconv", "diff.own.command", "filter.own.smudge", "core.pager", "core.editor"):
        forge.git(place, "config", name, script)
    for hook in ("reference-transaction", "post-checkout", "post-index-change", "pre-auto-gc"):
        (place / ".git" / "hooks" / hook).write_text(Path(script).read_text())
        (place / ".git" / "hooks" / hook).chmod(0o755)
    outcome = forge.runner(event, place).run(python=sys.executable)
    assert outcome.code == 1, outcome.log
    assert not marker.exists()


@pytest.mark.parametrize("flags", [["--local"], ["--worktree"], ["--file", "included"]], ids=lambda flags: flags[0])
@pytest.mark.parametrize(
    "name",
    [
        "url.file:///other/.insteadOf",
        "http.proxy",
        "http.https://forge.example/.sslVerify",
        "core.gitProxy",
        "remote.file:///other/acme/data.url",
    ],
)
def test_a_clone_that_says_where_a_fetch_goes_is_refused(forge, name, flags):
    """An earlier job on the same machine may have written it; the token would go there."""
    forge.commit("topic", {"data/new.jsonl": HARMFUL}, after="main")
    event = forge.pull("topic")
    place = forge.checkout(event.sha, depth=1)
    forge.git(place, "config", "extensions.worktreeConfig", "true")
    forge.git(place, "config", "include.path", "../included")
    forge.git(place, "config", *flags, name, "x")
    assert refused(forge.runner(event, place).run(python=sys.executable), name.lower().partition("/")[0])


def test_a_partial_clone_is_refused_and_fetches_nothing(forge, tmp_path):
    """The evaluation reads objects in the clone, and an older git would fetch one that is missing."""
    forge.commit("topic", {"data/new.jsonl": HARMFUL}, after="main")
    event, marker = forge.pull("topic"), tmp_path / "was-run"
    place = forge.checkout(event.sha)
    for name, value in (("url", forge.origin), ("promisor", "true"), ("uploadpack", planted(tmp_path, marker))):
        forge.git(place, "config", f"remote.other.{name}", str(value))
    assert refused(forge.runner(event, place).run(python=sys.executable), "this is a partial clone")
    assert not marker.exists()


def test_what_a_checkout_stores_of_itself_is_fine(forge):
    forge.commit("topic", {"data/new.jsonl": HARMFUL}, after="main")
    event = forge.pull("topic")
    place = forge.checkout(event.sha, depth=1)
    forge.git(place, "config", "http.https://forge.example/.extraheader", "AUTHORIZATION: basic x")
    forge.git(place, "config", "core.sshCommand", "ssh -i key")
    assert (
        forge.runner(event, place, GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="http.proxy", GIT_CONFIG_VALUE_0="")
        .run(python=sys.executable)
        .code
        == 1
    )


def test_nothing_of_the_checkout_is_imported(forge, tmp_path):
    marker = tmp_path / "was-run"
    evil = f"open({str(marker)!r}, 'w').close()\n"
    names = ("sitecustomize", "json", "d2b_gate", "pydantic", "numpy", "encodings/__init__", "usercustomize")
    forge.commit("topic", {**{f"{name}.py": evil for name in names}, "data/new.jsonl": HARMLESS}, after="main")
    event = forge.pull("topic")
    place = forge.checkout(event.sha)
    outcome = forge.runner(event, place, PYTHONPATH=str(place)).run(python=sys.executable)
    assert outcome.code == 0, outcome.log
    assert not marker.exists()


def test_an_interpreter_in_the_checkout_is_refused(forge, tmp_path):
    marker = tmp_path / "was-run"
    forge.commit("topic", {"data/new.jsonl": HARMLESS}, after="main")
    event = forge.pull("topic")
    place = forge.checkout(event.sha)
    planted(place, marker)
    for name in ("./planted.sh", str(place / "planted.sh")):
        assert refused(forge.runner(event, place).run(python=name), "lies in the checkout")
    assert refused(forge.runner(event, place).run(python="/nowhere/python"), "there is no such Python")
    assert not marker.exists()


def test_stores_are_apart_by_repository_and_trust(forge, tmp_path):
    before = forge.git(forge.desk, "rev-parse", "main")
    forge.commit("topic", {"data/new.jsonl": HARMLESS}, after="main")
    pull, other = forge.pull("topic"), forge.pull("topic")
    fork = forge.pull("topic", repository="mallory/data")
    branch = forge.push("topic", before)
    guarded = forge.push("topic", before, protected=True)
    cache = str(tmp_path / "kept")
    for event, more in (
        (pull, {}),
        (other, {}),
        (fork, {"dangerously_evaluate_forks": "true"}),
        (branch, {}),
        (guarded, {}),
    ):
        assert forge.act(event, cache_dir=cache, **more).code == 0
    folder = tmp_path / "kept" / "acme" / "data"
    numbers = [event.payload["number"] for event in (pull, other, fork)]
    levels = ["branch", f"fork/{numbers[2]}", "protected", f"pull/{numbers[0]}", f"pull/{numbers[1]}"]
    assert sorted(store.parent.relative_to(folder).as_posix() for store in folder.rglob("store")) == sorted(levels)


@pytest.mark.parametrize("number", [None, 0, True, "../protected", [1]])
def test_a_pull_request_without_a_number_is_refused(forge, number):
    forge.commit("topic", {"data/new.jsonl": HARMLESS}, after="main")
    event = forge.pull("topic")
    event.payload["number"] = number
    assert refused(forge.act(event), "the event says no number of the pull request")


@pytest.mark.parametrize("cache", ["kept", "{checkout}/kept"])
def test_a_cache_in_the_checkout_is_refused(forge, cache):
    forge.commit("topic", {"data/new.jsonl": HARMLESS}, after="main")
    event = forge.pull("topic")
    place = forge.checkout(event.sha)
    outcome = forge.runner(event, place).run(python=sys.executable, cache_dir=cache.format(checkout=place))
    assert refused(outcome, "the input 'cache-dir'")


def test_a_remote_url_of_the_repository_is_told_nothing(forge, tmp_path):
    """Only the environment of whoever runs the gate may say where rows go."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.2)
        remote = f'kind = "remote"\nurl = "http://127.0.0.1:{listening.getsockname()[1]}"'
        forge.commit("main", {"d2b-gate.toml": POLICY.replace('kind = "fake"', remote), "data/base.jsonl": BASE})
        forge.commit("topic", {"data/new.jsonl": HARMFUL}, after="main")
        outcome = forge.act(forge.pull("topic"))
        with pytest.raises(TimeoutError):
            listening.accept()
    assert (outcome.code, outcome.outputs["verdict"], outcome.outputs["result-path"]) == (2, "refused", "")


def test_the_guard_needs_nothing_installed(forge):
    """Run without site-packages, by an interpreter that has the standard library alone."""
    forge.commit("topic", {"README.md": "two\n"}, after="main")
    event = forge.pull("topic")
    runner = forge.runner(event, forge.checkout(event.sha))
    told = runner.temporary / "told"
    switches = {
        "GATE_MODE": "evaluate",
        "GATE_BOOTSTRAP": "false",
        "GATE_RECEIPT": "false",
        "GATE_DANGEROUSLY_EVALUATE_FORKS": "false",
    }
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", str(ACTION / "main.py"), "guard"],
        cwd=runner.workspace,
        env={**runner.environment, **switches, "GITHUB_OUTPUT": str(told)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert event.sha in told.read_text()


def test_the_entry_point_speaks_to_a_python_that_is_too_old():
    """Syntax of 3.6, so that an old one reaches the sentence that tells it."""
    ast.parse((ACTION / "main.py").read_text(), feature_version=(3, 6))


def test_the_token_takes_the_place_of_one_that_a_checkout_stored(tmp_path, monkeypatch):
    """Two headers are refused by the forge; and neither the arguments nor a file hold the token."""
    monkeypatch.setenv("GIT_CONFIG_COUNT", "0")
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    stored = "http.https://forge.example/.extraheader"
    subprocess.run(["git", "init", "--quiet", str(tmp_path / "x")], check=True)
    subprocess.run(["git", "config", stored, "AUTHORIZATION: basic old"], cwd=tmp_path / "x", check=True)
    given = {**os.environ, **authorisation("https://forge.example/acme/data", "secret")}
    asked = ["git", "config", "--get-urlmatch", "http.extraheader", "https://forge.example/acme/data"]
    said = subprocess.run(asked, cwd=tmp_path / "x", env=given, capture_output=True, text=True, check=True).stdout
    assert base64.b64decode(said.split()[-1]) == b"x-access-token:secret"
    every = ["git", "config", "--get-all", stored]
    values = subprocess.run(every, cwd=tmp_path / "x", env=given, capture_output=True, text=True, check=True).stdout
    assert values.split("\n")[1] == "", "an empty value takes back what stands before it"
    assert authorisation("file:///somewhere/acme/data", "secret") == {}


def test_the_lists_of_libraries_are_those_of_the_project():
    tomllib = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
    project = tomllib.loads((ACTION.parent / "pyproject.toml").read_text())["project"]

    def names(wanted):
        return {one.partition(">")[0].partition("[")[0].strip() for one in wanted}

    assert names(one for one in project["dependencies"] if ";" not in one) == set(install.NEEDED)
    extras = project["optional-dependencies"]
    assert {name: names(extras[name]) for name in install.EXTRAS if name != "sign"} == {
        name: set(modules) for name, modules in install.EXTRAS.items() if name != "sign"
    }
    assert "sign" in extras
