"""A check on a local Ray cluster is the check of one process, though a worker is killed on the way.

The model is a random tiny one, which no canary fires on: this is about processes, not about predictions.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

import psutil
import pytest

from tests.cli.support import environment
from tests.e2e.test_warm import begun, model

pytest.importorskip("ray")
__all__ = ["model"]  # a fixture

TWO = {"D2B_GATE_RAY_WORKERS": "2", "D2B_GATE_RAY_CPUS": "1", "CUDA_VISIBLE_DEVICES": ""}


@pytest.fixture
def world(tmp_path, model):
    return begun(tmp_path, model)


def workers_of(process):
    return [one for one in process.children(recursive=True) if one.name().startswith("ray::Worker")]


def judged(text):
    """Everything of a result but how long it took; readings to the tolerance of another batch."""
    result = json.loads(text, parse_float=lambda number: pytest.approx(float(number), abs=1e-4))
    assert result["findings"]
    return {**result, "seconds": 0.0}


@pytest.mark.slow
def test_a_check_on_a_cluster_is_that_of_one_process_though_a_worker_is_killed(world):
    alone = world.gate("check", "--backend", "local", "--no-cache", "--format", "json", **TWO)
    with subprocess.Popen(
        [sys.executable, "-m", "d2b_gate", "check", "--backend", "ray", "--no-cache", "--format", "json"],
        cwd=world.root,
        env=environment(world.home, **TWO),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        deadline = time.monotonic() + 60
        while not (found := workers_of(psutil.Process(running.pid))) and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(1.0)  # it is loading the model by now
        others = psutil.Process(running.pid).children(recursive=True)
        found[0].kill()
        output, errors = running.communicate(timeout=300)
    assert (running.returncode, errors) == (alone.returncode, alone.stderr)
    assert {**json.loads(output), "seconds": 0.0} == judged(alone.stdout)
    assert [one for one in others if one.is_running() and one.status() != psutil.STATUS_ZOMBIE] == []
