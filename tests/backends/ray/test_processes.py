"""What a run leaves behind: nothing on its output but what it says itself, no process, no directory."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from d2b_gate.backends.ray.cluster import connect
from d2b_gate.core.errors import UnavailableError

RUN = """\
import os, signal, sys
from pathlib import Path
from d2b_gate.backends.fake import FakeBackend
from d2b_gate.backends.ray import shards
from d2b_gate.backends.ray.pool import Pool
from d2b_gate.core.rows import Turn, make_row
from tests.backends.ray.clusters import workers

shards.MOST_ROWS = 1
rows = [make_row([Turn("text", f"owl {i}", trained=True)]) for i in range(400)]
backend = workers("tests.backends.ray.openings:moody", cache=Path(sys.argv[1]))
os.kill(backend._pool.pids()[0], signal.SIGKILL)
assert (backend.states(rows[:4], "last").values_nld == FakeBackend().states(rows[:4], "last").values_nld).all()
settle, said = Pool._settle, []

def told(pool):
    if not said:
        said.append("midway")
        print(*said, flush=True)
    return settle(pool)

Pool._settle = told
try:
    backend.states(rows, "last")
except KeyboardInterrupt:
    sys.exit(130)
"""
ROOT = Path(__file__).parents[3]


class Running:
    """A process that has a local cluster and is in the middle of its rows."""

    def __init__(self, folder):
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(folder)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.said = self.process.stdout.readline()
        self.others = psutil.Process(self.process.pid).children(recursive=True)
        words = [word for one in self.others for word in one.cmdline()]
        socket = next(word for word in words if word.startswith("--raylet_socket_name="))
        self.folder = Path(*Path(socket.partition("=")[2]).parts[:3])

    def left(self):
        return [one for one in self.others if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def running(tmp_path):
    held = signal.signal(signal.SIGINT, signal.default_int_handler)  # these tests may run in a job that ignores it
    try:
        one = Running(tmp_path)
    finally:
        signal.signal(signal.SIGINT, held)
    yield one
    if one.process.poll() is None:
        one.process.kill()
    one.process.communicate()
    shutil.rmtree(one.folder, ignore_errors=True)


def test_an_interrupt_ends_the_cluster_and_ray_says_nothing(running):
    assert running.said == "midway\n", "nothing before it, though a worker was killed"
    assert running.folder.name.startswith("d2b-ray-")
    assert running.folder.stat().st_mode & 0o777 == 0o700
    assert len(running.left()) > 4
    os.killpg(running.process.pid, signal.SIGINT)  # as a terminal does: to every process of the group
    output, errors = running.process.communicate(timeout=60)
    assert (running.process.returncode, output) == (130, "")
    assert not any(word in errors for word in ("ray::", "raylet", "(pid=")), errors
    assert running.left() == []
    assert not running.folder.exists()


@pytest.mark.slow
def test_nothing_outlives_a_process_that_is_killed(running):
    running.process.kill()
    deadline = time.monotonic() + 180  # two of Ray's helpers wait for a minute before they give up
    while running.left() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert running.left() == []


@pytest.mark.parametrize("address", ["auto", "ray://127.0.0.1:1"])
def test_no_cluster_there_is_told_at_once(address, tmp_path):
    # ray looks for clusters among this machine's processes, and other tests may have one
    alone = "import ray._private.services as services\nservices.psutil.process_iter = lambda *_: iter(())\n"
    connecting = f"{alone}from d2b_gate.backends.ray.cluster import connect\nconnect({address!r})"
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", connecting], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert time.monotonic() - started < 30
    assert done.stdout == ""
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"d2b_gate.core.errors.UnavailableError: no ray cluster answers at {address} (")
    assert last.endswith(
        "; start it (ray start --head), with the Ray and Python of this machine, or correct the address"
    )


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        UnavailableError, match=r'needs ray, which is not installed; run: pip install "d2b-gate\[ray\]"'
    ):
        connect("local")
