"""What goes wrong inside, once: it costs its job at most, and neither the threads nor the other jobs."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any

import requests

from d2b_gate.backends.fake import FakeBackend
from d2b_gate.server import keeping, worker
from d2b_gate.server.jobs import JobTable
from tests.server.process import until
from tests.server.support import FINAL, MODEL, OTHER, ROWS, serving

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.server.support import Client, Running

TEXT = "a prompt that no log may hold"
KEYS = [one.key for one in ROWS]


def ended(client: Client, name: str) -> str:
    until(lambda: client.state(name)["state"] in FINAL)
    return str(client.state(name)["state"])


def asked(client: Client, token: int) -> str:
    return str(client.post("token_texts", {"tokens": [token]}).json()["job"])


def goes_on(server: Running) -> None:
    """Jobs of this token and of another are done."""
    assert requests.get(server.url + "/readyz", timeout=5).status_code == 200
    for client in (server.client(), server.client(OTHER)):
        assert ended(client, asked(client, 7)) == "done"
    assert not any(TEXT in line or "Traceback" in line for line in server.lines)


def fail(error: BaseException, *_: object) -> None:
    raise error


def test_a_job_that_another_version_asked_for_fails_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with serving(tmp_path / "state") as server:
        name = asked(server.client(), 1)
        assert ended(server.client(), name) == "done"
    old = json.dumps({"model": MODEL, "verb": "read", "arguments": {"prompts": [TEXT]}})
    with closing(sqlite3.connect(tmp_path / "state" / "state.sqlite3")) as database:
        database.execute("UPDATE jobs SET state = 'queued', request = ?", [old])
        database.commit()
    with serving(tmp_path / "state") as server:
        assert ended(server.client(), name) == "failed"
        assert "a form that the server does not know" in server.client().state(name)["error"]["what"]
        goes_on(server)
        keeping.forget_old(server.server._house)
        assert server.server._house._keeper._thread.is_alive()
    assert TEXT not in "".join(capfd.readouterr())


def test_a_job_for_which_there_is_no_memory_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Scarce:
        def validate_python(self, _: object) -> Any:
            raise MemoryError(TEXT)

    with serving(tmp_path / "state") as server:
        with monkeypatch.context() as patched:
            patched.setattr(worker, "ASKED", Scarce())
            name = asked(server.client(), 1)
            assert ended(server.client(), name) == "failed"
        goes_on(server)


def test_a_worker_outlives_what_nobody_thought_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(tmp_path / "state") as server:
        with monkeypatch.context() as patched:
            patched.setattr(worker, "_outcome", partial(fail, RuntimeError(TEXT)))
            name = asked(server.client(), 1)
            assert ended(server.client(), name) == "failed"
        until(lambda: any("event=worker-failed error=RuntimeError place=" in line for line in server.lines))
        goes_on(server)


def test_the_keeper_outlives_what_nobody_thought_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "EVERY", 0.05)
    monkeypatch.setattr(keeping, "_forget_of", partial(fail, MemoryError(TEXT)))
    with serving(tmp_path / "state") as server:
        until(lambda: sum("event=forgetting-failed error=MemoryError" in line for line in server.lines) > 1)
        goes_on(server)


def test_a_cancel_that_cannot_be_written_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = Event()
    before = FakeBackend.lengths
    monkeypatch.setattr(FakeBackend, "lengths", lambda self, rows: (free.wait(20), before(self, rows))[1])
    with serving(tmp_path / "state") as server:
        client = server.client()
        client.send(ROWS[:2])
        first, second = (client.post("lengths", {"rows": [key]}).json()["job"] for key in KEYS[:2])
        until(lambda: client.state(first)["state"] == "running")
        with monkeypatch.context() as patched:
            patched.setattr(JobTable, "end", partial(fail, sqlite3.OperationalError("database or disk is full")))
            assert client.ask("DELETE", f"/v1/jobs/{second}").status_code == 503
        assert client.state(second)["ahead"] == 1
        free.set()
        assert [ended(client, first), ended(client, second)] == ["done", "done"]


def test_a_job_that_nobody_has_is_queued_when_it_is_asked_for_again(tmp_path: Path) -> None:
    with serving(tmp_path / "state") as server:
        client = server.client()
        name = asked(client, 1)
        assert ended(client, name) == "done"
        server.server._house._database.change("UPDATE jobs SET state = 'running'")
        assert client.state(name)["state"] == "queued"
        assert asked(client, 1) == name
        assert ended(client, name) == "done"
