"""What outlives a process: a killed server's rows, jobs and results, whatever it was doing."""

from __future__ import annotations

import signal
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from d2b_gate.backends.fake import FakeBackend
from d2b_gate.core.remote import heard_array, said_training
from d2b_gate.server.desk import MOST_ATTEMPTS
from tests.rounding import rounded
from tests.server.process import started, until
from tests.server.support import FINAL, ROWS, TRAINING, Client, row, serving

if TYPE_CHECKING:
    from pathlib import Path

KEYS = [one.key for one in ROWS]


def post(client: Client, start: int, end: int) -> str:
    client.send(ROWS[start:end])
    return str(client.post("gradients", {"rows": KEYS[start:end]}).json()["job"])


def ended(client: Client, name: str) -> str:
    until(lambda: client.state(name)["state"] in FINAL)
    return str(client.state(name)["state"])


@pytest.mark.parametrize("moment", [0.0, 0.15, 0.4, 0.9])
def test_a_server_killed_in_mid_job_does_it_after_its_next_start(tmp_path: Path, moment: float) -> None:
    with started(tmp_path, pause=0.01) as process:
        client = process.client()
        done = post(client, 140, 150)
        assert ended(client, done) == "done"
        names = [post(client, 0, 100), post(client, 50, 120)]
        training = client.send(TRAINING.rows) or client.post("finetune", said_training(TRAINING)).json()["job"]
        time.sleep(moment)
        process.popen.send_signal(signal.SIGKILL)
        process.popen.wait(10)
    with started(tmp_path) as process:
        client = process.client()
        assert client.state(done)["state"] == "done"
        assert client.ask("POST", "/v1/rows/missing", {"keys": KEYS[:120]}).json() == {"missing": []}
        for name, (start, end) in zip(names, ((0, 100), (50, 120)), strict=True):
            assert ended(client, name) == "done"
            expected = rounded(FakeBackend().gradients(ROWS[start:end]).values_nld)
            assert (heard_array(client.result(name)["values"], expected.shape) == expected).all()
        assert ended(client, training) == "done"
    twice = len(process.computed()) - len(set(process.computed()))
    assert set(process.computed()) == {*KEYS[:120], *KEYS[140:150]}
    assert twice <= 64  # of the portion that was under way


def test_a_client_that_waits_gets_its_result_from_the_next_process(tmp_path: Path) -> None:
    with started(tmp_path, pause=0.01) as process:
        name = post(process.client(), 0, 80)
        until(lambda: process.client().state(name)["state"] == "running")
        process.popen.kill()
        process.popen.wait(10)
    with started(tmp_path, pause=0.01) as process:
        client = process.client()
        assert client.post("gradients", {"rows": KEYS[:80]}).json()["job"] == name
        assert client.follow(name)[-1]["state"] == "done"


def test_a_job_that_keeps_ending_the_process_is_given_up(tmp_path: Path) -> None:
    deadly = row("die")
    with started(tmp_path) as process:
        client = process.client()
        client.send([deadly])
        name = client.post("gradients", {"rows": [deadly.key]}).json()["job"]
        process.popen.wait(10)
    for _ in range(MOST_ATTEMPTS - 1):
        with started(tmp_path) as process:
            process.popen.wait(20)
    with started(tmp_path) as process:
        client = process.client()
        said = client.state(name)
        assert said["state"] == "failed"
        assert said["error"]["what"] == f"the server ended {MOST_ATTEMPTS} times while it ran this job"
        assert ended(client, post(client, 0, 3)) == "done"


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_success_and_what_runs_is_finished(tmp_path: Path, stop: signal.Signals) -> None:
    with started(tmp_path, pause=0.01) as process:
        client = process.client()
        name = post(client, 0, 64)
        until(lambda: client.state(name)["state"] == "running")
        process.popen.send_signal(stop)
        assert process.popen.wait(15) == 0
    log = process.log.read_text()
    assert "state=done" in log
    assert "event=end" in log
    assert "Traceback" not in log
    with started(tmp_path) as process:
        assert process.client().state(name)["state"] == "done"


def test_a_signal_parks_what_takes_too_long(tmp_path: Path) -> None:
    with started(tmp_path, "--grace", "0.2", pause=0.02) as process:
        client = process.client()
        name = post(client, 0, 150)
        until(lambda: client.state(name)["done"] > 0)
        process.popen.send_signal(signal.SIGTERM)
        assert process.popen.wait(15) == 0
    assert "state=parked" in process.log.read_text()
    with started(tmp_path) as process:
        assert ended(process.client(), name) == "done"
    assert sorted(process.computed()) == sorted(KEYS)


def test_it_ends_by_itself_when_nobody_asks(tmp_path: Path) -> None:
    with started(tmp_path, "--idle", "0.6", pause=0.02) as process:
        client = process.client()
        name = post(client, 0, 60)
        time.sleep(0.9)
        assert client.state(name)["state"] in ("running", "done")
        assert process.popen.wait(15) == 0
    assert "event=idle" in process.log.read_text()
    with started(tmp_path) as process:
        assert process.client().state(name)["state"] == "done"


def test_the_ready_file_is_this_process(tmp_path: Path) -> None:
    with started(tmp_path) as process:
        assert process.client().ask("GET", "/readyz").json() == {"status": "ready"}
        assert process.ready.stat().st_mode & 0o777 == 0o600
        assert not list(tmp_path.glob(".ready*"))


def test_one_state_has_one_server(tmp_path: Path) -> None:
    with started(tmp_path) as process:
        process.client()
        with started(tmp_path) as second:
            assert second.popen.wait(20) == 2
        assert "another server uses this state" in process.log.read_text()
        assert process.client().ask("GET", "/readyz").status_code == 200


def test_what_lies_on_disk_is_for_this_user_alone(tmp_path: Path) -> None:
    with serving(tmp_path / "state") as server:
        server.client().run("gradients", {"rows": KEYS[:3]}, ROWS[:3])
        assert (tmp_path / "state").stat().st_mode & 0o077 == 0


def test_a_result_that_was_lost_is_computed_again(tmp_path: Path) -> None:
    with serving(tmp_path / "state") as server:
        client = server.client()
        client.run("gradients", {"rows": KEYS[:3]}, ROWS[:3])
        for path in (tmp_path / "state").rglob("results/*.json"):
            path.unlink()
        answer = client.post("gradients", {"rows": KEYS[:3]})
        assert answer.status_code == 202
        assert ended(client, answer.json()["job"]) == "done"


@pytest.mark.parametrize("content", [b"", b"not a database at all, but long enough to be looked at" * 50])
def test_a_state_that_is_damaged_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "state.sqlite3").write_bytes(content)
    with started(tmp_path) as process:
        if content:
            assert process.popen.wait(20) == 3
            assert "the server's state cannot be used" in process.log.read_text()
            assert "Traceback" not in process.log.read_text()
        else:
            assert process.client().ask("GET", "/readyz").status_code == 200


def test_a_step_that_does_not_end_keeps_nobody_from_the_exit_code(tmp_path: Path) -> None:
    with started(tmp_path, "--grace", "0.1", pause=30.0) as process:
        client = process.client()
        name = post(client, 0, 3)
        until(lambda: client.state(name)["state"] == "running")
        process.popen.send_signal(signal.SIGTERM)
        assert process.popen.wait(25) == 0
    with closing(sqlite3.connect(tmp_path / "state" / "state.sqlite3")) as state:
        assert state.execute("SELECT state, attempts FROM jobs").fetchall() == [("queued", 0)]
    with started(tmp_path) as process:
        assert ended(process.client(), name) == "done"
