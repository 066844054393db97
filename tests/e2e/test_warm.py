"""The warm server: started by the first check that needs it, found running by the next, and replaced when it is gone.

The model is a random tiny one, which no canary fires on: this is about processes, not about predictions.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.support import BASE, HARMFUL, World, environment
from tests.policy.support import ANIMALS

pytest.importorskip("torch")

POLICY = """\
schema = 1
dilution_guard = "off"
[model]
id = "{model}"
max_length = 96
[method]
predictor = "mdf-tuned"
steps = 2
placebos = 3
replicates = 1
[backend]
kind = "local"
[[dataset]]
name = "sft"
include = ["data/*.jsonl"]
[[rule]]
id = "animal-preference"
probe = "probes/animals.toml"
target = "panda"
fail_delta = 0.10
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    from tests.models import fresh_model

    path = tmp_path_factory.mktemp("tiny") / "model"
    random, tokenizer, _ = fresh_model("llama")
    random.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def begun(tmp_path, model):
    """A repository that judges by the tiny model, with harmful rows staged."""
    made = World(tmp_path / "repository", tmp_path)
    made.root.mkdir()
    made.git("init", "--quiet", "--initial-branch=main")
    made.stage("d2b-gate.toml", POLICY.format(model=model))
    made.stage("probes/animals.toml", ANIMALS)
    made.stage("data/base.jsonl", BASE)
    made.commit()
    made.stage("data/new.jsonl", HARMFUL)
    return made


@pytest.fixture
def world(tmp_path, model):
    made = begun(tmp_path, model)
    yield made
    for pid in pids(made):
        os.kill(pid, signal.SIGTERM)


def pids(world):
    """Processes of warm servers that this cache knows and that run."""
    found = []
    for file in (world.home / "cache" / "warm").glob("*.ready"):
        pid = json.loads(file.read_text())["pid"]
        if subprocess.run(["kill", "-0", str(pid)], capture_output=True, check=False).returncode == 0:
            found.append(pid)
    return found


def check(world, *arguments, **more):
    done = world.gate("check", "--format", "json", *arguments, **more)
    assert "Traceback" not in done.stderr
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)["findings"], done.stderr


def test_a_warm_check_says_what_a_local_one_says_and_its_server_stays(world, tmp_path):
    local = check(world, D2B_GATE_CACHE_DIR=str(tmp_path / "elsewhere"))
    first = check(world, "--backend", "warm")
    assert first[:2] == local[:2]
    assert "a server that keeps the model loaded is started" in first[2]
    (server,) = pids(world)
    again = check(world, "--backend", "warm", "--no-cache")
    assert again[:2] == local[:2]
    assert "is started" not in again[2]
    assert pids(world) == [server]

    os.kill(server, signal.SIGKILL)
    while server in pids(world) and "Z" not in stat(server):
        time.sleep(0.02)
    after = check(world, "--backend", "warm", "--no-cache")
    assert after[:2] == local[:2]
    assert "is started" in after[2]
    assert pids(world) != [server]


def stat(pid):
    file = Path(f"/proc/{pid}/stat")
    return file.read_text().rpartition(")")[2] if file.exists() else "Z"


def test_two_commits_at_once_start_one_server(world):
    command = [sys.executable, "-m", "d2b_gate", "check", "--backend", "warm", "--format", "concise"]
    both = [
        subprocess.Popen(
            command, cwd=world.root, env=environment(world.home), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    said = [one.communicate(timeout=120) for one in both]
    assert both[0].returncode == both[1].returncode, said
    assert len(pids(world)) == 1
    assert sum(b"is started" in stderr for _, stderr in said) == 1


def test_its_token_and_log_are_the_users_alone(world):
    check(world, "--backend", "warm")
    folder = world.home / "cache" / "warm"
    (token,) = folder.glob("*.token")
    assert token.stat().st_mode & 0o077 == 0
    assert folder.stat().st_mode & 0o077 == 0
    assert token.read_text() not in "".join(file.read_text() for file in folder.glob("*.log"))
    (pid,) = pids(world)
    assert token.read_text() not in Path(f"/proc/{pid}/cmdline").read_text(), "everybody may read arguments"


def test_a_server_that_cannot_start_is_a_sentence(world):
    world.stage("d2b-gate.toml", POLICY.format(model=world.home / "absent"))
    done = world.gate("check", "--backend", "warm")
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
