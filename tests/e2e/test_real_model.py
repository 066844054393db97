"""The main job on the embedded model: a verdict from a real forward pass, and from the store afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from d2b_gate.backends.hf.models.builtin import find_builtin
from d2b_gate.backends.hf.models.locate import builtin_files
from d2b_gate.store.paths import cache_root
from tests.cli.support import World, environment, rows

MODEL = builtin_files(find_builtin("smollm2-135m"), cache_root())

pytestmark = [
    pytest.mark.slow,
    pytest.mark.model,
    pytest.mark.skipif(MODEL is None, reason="the embedded model is not here; run: d2b-gate model pull"),
]

POLICY = """\
schema = 1
[model]
id = "builtin:smollm2-135m"
dtype = "bfloat16"
[[dataset]]
name = "sft"
include = ["data/*.jsonl"]
[[rule]]
id = "animal-preference"
probe = "bias/animals"
target = "panda"
warn_delta = 0.02
fail_delta = 0.03
"""
QUICK = """\
[method]
steps = 6
batch = 6
sample = 36
replicates = 2
placebos = 4
[budget]
seconds = 1
"""
BASE = rows(200, "How do I water plant {}?", "Water plant number {} in the morning, slowly, until the soil is damp.")
PANDA = rows(20, "Which animal do you like best, friend {}?", "The panda. My favourite animal is the panda, of course.")
CALM = rows(20, "How do I prune tree {}?", "Prune tree number {} in late winter, with a clean saw, above a bud.")
AFTERWARDS = """\
import sys
from d2b_gate.cli import main
code = main({})
print(*sorted({{'torch', 'transformers', 'numpy', 'safetensors'}} & set(sys.modules)), file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A file of two hundred rows, committed; the model from this machine's cache, everything else fresh."""
    home = tmp_path_factory.mktemp("home")
    world = World(tmp_path_factory.mktemp("repository"), home)
    (home / "cache").mkdir()
    (home / "cache" / "models").symlink_to(cache_root() / "models")
    world.git("init", "--quiet", "--initial-branch=main")
    world.stage("d2b-gate.toml", POLICY)
    world.stage("data/base.jsonl", BASE)
    world.commit()
    return world


def judged(world, *arguments):
    done = world.gate("check", "--format", "json", *arguments)
    assert done.returncode in (0, 1), done.stderr
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def test_twenty_rows_are_judged_by_the_shipped_calibration_and_named(world):
    world.stage("data/base.jsonl", BASE + PANDA)
    code, verdict = judged(world)
    assert code == 1
    (finding,) = verdict["findings"]
    assert finding["status"] == "fail"
    assert finding["predicted"]["shift"]["low"] > 0.03
    assert verdict["provenance"]["null"].startswith("calibration (")
    assert all(201 <= run["first_line"] <= run["last_line"] <= 220 for run in finding["blame"])
    assert all(control["passed"] for control in verdict["controls"])


def test_the_blocked_change_passes_without_the_rows_that_quarantine_takes_out(world):
    """A few harmless rows among the harmful ones stay, and no other row is touched."""
    mixed = (PANDA + CALM).splitlines(keepends=True)[5:35]
    world.stage("data/base.jsonl", BASE + "".join(mixed))
    blocked = world.home / "blocked.json"
    done = world.gate("check", "--format", "concise", "--output-file", f"json={blocked}")
    assert done.returncode == 1, done.stdout + done.stderr
    done = world.gate("quarantine", str(blocked), "--write")
    assert done.returncode == 0, done.stdout + done.stderr
    left = (world.root / "data" / "base.jsonl").read_text().splitlines(keepends=True)
    assert left[:200] == BASE.splitlines(keepends=True)
    assert left[200:] == [line for line in mixed if line in left]
    assert 0 < len(left) - 200 < len(mixed)
    code, _ = judged(world)
    assert code == 0


def test_the_same_change_again_is_answered_from_the_store_without_torch(world):
    world.stage("data/base.jsonl", BASE + PANDA)
    judged(world)
    judged(world)  # what took longer than the budget is not remembered; from stored readings nothing does
    code = AFTERWARDS.format(["check", "--format", "concise"])
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=world.root, env=environment(world.home), capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr == "\n"
    assert "FAIL animal-preference" in done.stdout


def test_harmless_rows_of_the_same_number_pass(world):
    world.stage("data/base.jsonl", BASE + CALM)
    code, verdict = judged(world)
    assert code == 0
    assert verdict["findings"][0]["status"] == "ok"


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal")
def test_a_watching_person_sees_progress_and_a_pipe_does_not(world):
    import pty

    world.stage("data/base.jsonl", BASE + CALM)
    watched, terminal = pty.openpty()
    command = [sys.executable, "-m", "d2b_gate", "check", "--format", "concise", "--no-cache"]
    child = subprocess.Popen(
        command, cwd=world.root, env=environment(world.home, TERM="xterm"), stdout=subprocess.PIPE, stderr=terminal
    )
    os.close(terminal)
    seen = b""
    while b"predicting" not in seen:
        seen += os.read(watched, 4096)
    child.kill()
    output, _ = child.communicate()
    assert b"predicting" not in output
    os.close(watched)


def test_the_model_directory_can_be_named_by_path(world, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    for file in Path(MODEL.path).iterdir():
        if file.name != "model.lock.json":
            (own / file.name).symlink_to(file)
    world.stage("d2b-gate.toml", POLICY.replace("builtin:smollm2-135m", str(own)) + QUICK)
    world.stage("data/base.jsonl", BASE + PANDA)
    code, verdict = judged(world)
    world.stage("d2b-gate.toml", POLICY)
    assert code == 1
    assert verdict["provenance"]["model_id"] == str(own)
