"""One local cluster of two workers per test process, started when a test first needs it and ended with the process."""

from __future__ import annotations

import os
from pathlib import Path
from unittest import mock

from d2b_gate.backends.ray.opening import on_this_machine
from d2b_gate.backends.ray.worker import Quiet, Recipe
from d2b_gate.core.rules import ModelSpec

WORKERS = 2
SETTINGS = {
    "D2B_GATE_RAY_WORKERS": str(WORKERS),
    "D2B_GATE_RAY_CPUS": "1",
    "PYTHONPATH": str(Path(__file__).parents[3]),  # the workers import `tests`
    "CUDA_VISIBLE_DEVICES": "",
}
FAKE = "d2b_gate.backends.fake:open_backend"


def workers(opening=FAKE, spec=None, cache="unused"):
    """The backend over two workers that open the same thing; those of another test are let go."""
    backend = on_this_machine(Recipe(spec or ModelSpec(), str(cache), opening=opening), Quiet())
    with mock.patch.dict(os.environ, SETTINGS):  # read when the workers are hired
        backend._pool.pids()
    return backend


def fake_workers():
    return workers()
