"""Jobs under way: their order, their end before the end, and who may see them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
import requests

from d2b_gate import registry
from d2b_gate.backends.fake import FakeBackend
from d2b_gate.core.ports import RowLength
from d2b_gate.core.remote import heard_array, said_training
from tests.rounding import rounded
from tests.server import slow
from tests.server.process import until
from tests.server.support import FINAL, OTHER, ROWS, TRAINING, row, serving

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from d2b_gate.core.rows import Row
    from tests.server.support import Client

KEYS = [one.key for one in ROWS]


@pytest.fixture(autouse=True)
def slow_backend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(registry.TABLES["backends"], "slow", "tests.server.slow")  # type: ignore[arg-type] # a dict
    monkeypatch.setenv(slow.PAUSE, "0.02")
    monkeypatch.setenv(slow.BOOK, str(tmp_path / "book.txt"))


def post(client: Client, *places: int) -> str:
    rows = [ROWS[place] for place in places]
    client.send(rows)
    answer = client.post("gradients", {"rows": [one.key for one in rows]})
    assert answer.status_code in (200, 202), answer.text
    return str(answer.json()["job"])


def ended(client: Client, name: str) -> str:
    until(lambda: client.state(name)["state"] in FINAL)
    return str(client.state(name)["state"])


def order_of_computing(tmp_path: Path) -> list[str]:
    return [line.partition(" ")[2] for line in (tmp_path / "book.txt").read_text().splitlines()]


def test_asking_twice_is_asking_once(tmp_path: Path) -> None:
    with serving(tmp_path / "state", backend="slow") as server:
        client = server.client()
        client.send(ROWS[:3])
        answers = [client.post("gradients", {"rows": KEYS[:3]}) for _ in range(3)]
        name = answers[0].json()["job"]
        assert [answer.status_code for answer in answers] == [202, 200, 200]
        assert ended(client, name) == "done"
        assert client.post("gradients", {"rows": KEYS[:3]}).json()["state"] == "done"
    assert len(order_of_computing(tmp_path)) == 3


def test_tokens_take_turns_however_much_one_asks(tmp_path: Path) -> None:
    with serving(tmp_path / "state", backend="slow") as server:
        one, other = server.client(), server.client(OTHER)
        names = [post(one, *range(start, start + 10)) for start in range(0, 60, 10)]
        late = post(other, 100)
        assert other.state(late)["ahead"] <= 2
        assert [one.state(name)["state"] for name in names[-2:]] == ["queued", "queued"]
        assert ended(other, late) == "done"
        assert one.state(names[-1])["state"] == "queued"
        assert [ended(one, name) for name in names] == ["done"] * 6
    order = order_of_computing(tmp_path)
    assert order.index("question 100") <= 20
    assert [text for text in order if text != "question 100"] == [f"question {index}" for index in range(60)]


def test_events_tell_of_every_state_and_of_progress(tmp_path: Path) -> None:
    with serving(tmp_path / "state", backend="slow") as server:
        client = server.client()
        client.send(TRAINING.rows)
        blocker = post(client, *range(20))
        name = client.post("finetune", said_training(TRAINING)).json()["job"]
        told = client.follow(name)
        assert client.state(blocker)["state"] == "done"
    states = list(dict.fromkeys(job["state"] for job in told))
    assert states in (["queued", "running", "done"], ["running", "done"])
    done = [job["done"] for job in told]
    assert done == sorted(done)
    assert done[-1] == len(TRAINING.steps) == told[-1]["total"]
    assert all(set(job) == {"job", "state", "done", "total", "ahead"} for job in told)


def test_the_end_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(slow.PAUSE, "0")
    with serving(tmp_path / "state", backend="slow") as server:
        client = server.client()
        client.send(ROWS)
        began = time.monotonic()
        for place in range(30):
            client.follow(client.post("gradients", {"rows": KEYS[place : place + 1]}).json()["job"])
        assert time.monotonic() - began < 30 * 0.1


def test_a_quiet_stream_says_that_it_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("d2b_gate.server.events.ALIVE", 0.15)
    with serving(tmp_path / "state", backend="slow") as server:
        client = server.client()
        name = post(client, *range(40))
        text = client.ask("GET", f"/v1/jobs/{name}/events").text
    assert text.count(": alive\n\n") >= 2
    assert text.startswith("event: state\n")


@pytest.mark.parametrize("verb", ["gradients", "finetune"])
def test_a_running_job_stops_at_its_next_step(tmp_path: Path, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(slow.PAUSE, "0.1")
    monkeypatch.setattr("d2b_gate.server.verbs.ROWS_AT_ONCE", 2)
    with serving(tmp_path / "state", backend="slow") as server:
        client = server.client()
        client.send(ROWS[:60])
        arguments = said_training(TRAINING) if verb == "finetune" else {"rows": KEYS[:60]}
        name = client.post(verb, arguments).json()["job"]
        until(lambda: client.state(name)["done"] > 0)
        assert client.ask("DELETE", f"/v1/jobs/{name}").status_code == 200
        began = time.monotonic()
        assert ended(client, name) == "cancelled"
        assert time.monotonic() - began < 1
        assert client.ask("GET", f"/v1/jobs/{name}/result").status_code == 404
        monkeypatch.setenv(slow.PAUSE, "0")
        assert client.post(verb, arguments).status_code == 202
        assert ended(client, name) == "done"
    order = order_of_computing(tmp_path) if verb == "gradients" else []
    assert len(set(order)) == len(order)


def test_a_queued_job_is_dropped(tmp_path: Path) -> None:
    with serving(tmp_path / "state", backend="slow") as server:
        client = server.client()
        first, second = post(client, *range(20)), post(client, 30)
        dropped = client.ask("DELETE", f"/v1/jobs/{second}").json()
        assert dropped == {"job": second, "state": "cancelled", "done": 0, "total": 1, "ahead": 0}
        assert ended(client, first) == "done"
        assert client.ask("DELETE", f"/v1/jobs/{first}").json()["state"] == "done"
    assert "question 30" not in order_of_computing(tmp_path)


def test_a_job_has_so_much_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("d2b_gate.server.verbs.ROWS_AT_ONCE", 2)
    with serving(tmp_path / "state", backend="slow", job_seconds=0.2) as server:
        client = server.client()
        name = post(client, *range(60))
        assert ended(client, name) == "failed"
        assert client.state(name)["error"]["what"] == "the job took longer than the server allows"
        answer = client.ask("GET", f"/v1/jobs/{name}/result")
        assert (answer.status_code, answer.json()["error"]["kind"]) == (422, "evaluation")
        assert ended(client, post(client, 1)) == "done"


def test_a_crash_fails_its_job_and_no_other(tmp_path: Path) -> None:
    secret = "what a row says"
    with serving(tmp_path / "state", backend="slow") as server:
        client = server.client()
        bad = row("crash", secret)
        client.send([bad])
        name = client.post("gradients", {"rows": [bad.key]}).json()["job"]
        assert ended(client, name) == "failed"
        assert "RuntimeError" in client.state(name)["error"]["what"]
        assert ended(client, post(client, 1)) == "done"
        crashed = [line for line in server.lines if "event=job-crashed" in line]
        assert len(crashed) == 1
        assert "slow.py:" in crashed[0]
        assert not any(secret in line for line in server.lines)


def test_a_token_has_so_many_jobs_in_the_queue(tmp_path: Path) -> None:
    with serving(tmp_path / "state", backend="slow", waiting=2) as server:
        client, other = server.client(), server.client(OTHER)
        post(client, *range(40))
        until(lambda: server.metric("jobs_running") == 1)
        post(client, 1), post(client, 2)
        client.send([ROWS[3]])
        answer = client.post("gradients", {"rows": [KEYS[3]]})
        assert (answer.status_code, answer.json()["error"]["kind"]) == (429, "busy")
        assert int(answer.headers["retry-after"]) > 0
        assert client.post("gradients", {"rows": [KEYS[2]]}).status_code == 200
        post(other, 3)


def test_what_a_token_has_in_the_queue_has_so_many_bytes(tmp_path: Path) -> None:
    with serving(tmp_path / "state", backend="slow", waiting_bytes=3_000) as server:
        client, other = server.client(), server.client(OTHER)
        client.send(ROWS)
        post(client, *range(40))
        until(lambda: server.metric("jobs_running") == 1)
        alone = client.post("gradients", {"rows": KEYS[:45]})  # more than that, but nothing else waits
        assert alone.status_code == 202
        answer = client.post("gradients", {"rows": KEYS[:1]})
        assert (answer.status_code, answer.json()["error"]["kind"]) == (429, "busy")
        post(other, 3)
    with serving(tmp_path / "state", backend="slow", waiting_bytes=3_000) as server:
        client = server.client()
        client.post("gradients", {"rows": KEYS[:1]})
        assert ended(client, alone.json()["job"]) == "done"


def test_a_token_has_so_many_requests_at_once(tmp_path: Path) -> None:
    with serving(tmp_path / "state", backend="slow", requests=2) as server:
        client = server.client()
        name = post(client, *range(40))
        path = f"/v1/jobs/{name}"
        streams = [server.client().ask("GET", f"{path}/events", stream=True) for _ in range(2)]
        assert [stream.status_code for stream in streams] == [200, 200]
        answer = client.ask("GET", path)
        assert (answer.status_code, answer.json()["error"]["kind"]) == (429, "busy")
        assert server.client(OTHER).ask("GET", path).status_code == 404
        for stream in streams:
            assert "done" in stream.text
        assert client.state(name)["state"] == "done"


def test_no_token_sees_what_another_has_sent_asked_or_got(tmp_path: Path) -> None:
    with serving(tmp_path / "state", backend="slow") as server:
        one, other = server.client(), server.client(OTHER)
        name = post(one, *range(5))
        assert ended(one, name) == "done"
        keys = {"keys": [*KEYS[:6], KEYS[0]]}
        assert one.ask("POST", "/v1/rows/missing", keys).json()["missing"] == [KEYS[5]]
        assert other.ask("POST", "/v1/rows/missing", keys).json()["missing"] == KEYS[:6]
        for method, end in (("GET", ""), ("GET", "/events"), ("GET", "/result"), ("DELETE", "")):
            unknown = other.ask(method, f"/v1/jobs/{'0' * 64}{end}")
            answer = other.ask(method, f"/v1/jobs/{name}{end}")
            assert (answer.status_code, answer.json()) == (unknown.status_code, unknown.json())
            assert answer.status_code == 404
        assert other.post("gradients", {"rows": KEYS[:5]}).status_code == 409
        post(other, *range(5))
        assert ended(other, name) == "done"
        text = one.ask("GET", "/metrics").text + other.ask("GET", "/metrics").text
        assert not any(key[:12] in text for key in (*KEYS, name))
    assert [order_of_computing(tmp_path).count(f"question {index}") for index in range(6)] == [2, 2, 2, 2, 2, 0]


def test_what_one_token_trained_another_trains_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[int] = []
    before = slow.SlowBackend.finetune

    def counted(self: slow.SlowBackend, plan: object) -> object:
        trained.append(1)
        return before(self, plan)  # type: ignore[arg-type] # passed on

    monkeypatch.setattr(slow.SlowBackend, "finetune", counted)
    with serving(tmp_path / "state", backend="slow") as server:
        for client in (server.client(), server.client(OTHER), server.client()):
            client.run("finetune", said_training(TRAINING), TRAINING.rows)
    assert len(trained) == 2


def test_several_devices_work_at_once_and_each_token_on_one(tmp_path: Path) -> None:
    with serving(tmp_path / "state", backend="slow", devices=("a", "b")) as server:
        one, other = server.client(), server.client(OTHER)
        names = [post(one, *range(20)), post(one, *range(10, 30))]
        theirs = post(other, *range(20))
        until(lambda: server.metric("jobs_running") == 2)
        assert sorted(one.state(name)["state"] for name in names) == ["queued", "running"]
        assert [ended(one, name) for name in names] == ["done", "done"]
        assert ended(other, theirs) == "done"
        said = one.result(names[1])
    expected = rounded(FakeBackend().gradients(ROWS[10:30]).values_nld)
    assert (heard_array(said["values"], expected.shape) == expected).all()
    assert len(order_of_computing(tmp_path)) == 30 + 20


def test_a_server_that_ends_takes_no_jobs_and_finishes_what_runs(tmp_path: Path) -> None:
    with serving(tmp_path / "state", backend="slow") as server:
        client = server.client()
        name, queued = post(client, *range(40)), post(client, 50)
        until(lambda: client.state(name)["state"] == "running")
        server.server.end_soon()
        assert requests.get(server.url + "/readyz", timeout=5).status_code == 503
        client.send([ROWS[60]])
        answer = client.post("gradients", {"rows": [KEYS[60]]})
        assert (answer.status_code, answer.json()["error"]["kind"]) == (503, "unavailable")
        assert client.post("gradients", {"rows": KEYS[:40]}).status_code == 200
        assert [job["state"] for job in client.follow(name)][-1] == "done"
    with serving(tmp_path / "state", backend="slow") as server:
        assert server.client().state(name)["state"] == "done"
        assert ended(server.client(), queued) == "done"


def test_a_job_that_takes_longer_than_the_grace_is_parked_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("d2b_gate.server.verbs.ROWS_AT_ONCE", 5)
    with serving(tmp_path / "state", backend="slow", grace_seconds=0.3) as server:
        client = server.client()
        name = post(client, *range(60))
        until(lambda: client.state(name)["done"] > 0)
        following = threading.Thread(target=server.client().follow, args=(name,))
        following.start()
        server.server.end_soon()
        following.join(5)
        assert not following.is_alive()
    assert any("state=parked" in line for line in server.lines)
    computed = len(order_of_computing(tmp_path))
    assert 0 < computed < 60
    with serving(tmp_path / "state", backend="slow") as server:
        assert ended(server.client(), name) == "done"
    assert len(order_of_computing(tmp_path)) == 60


def test_a_stream_whose_reader_went_away_frees_its_place(tmp_path: Path) -> None:
    with serving(tmp_path / "state", backend="slow", requests=1) as server:
        client = server.client()
        name = post(client, *range(60))
        stream = server.client().ask("GET", f"/v1/jobs/{name}/events", stream=True)
        lines = stream.iter_lines(chunk_size=1)  # held: forgetting it would close the stream
        assert next(lines) == b"event: state"
        assert client.ask("GET", f"/v1/jobs/{name}").status_code == 429
        stream.close()
        until(lambda: client.ask("GET", f"/v1/jobs/{name}").status_code == 200)
        assert ended(client, name) == "done"


def test_a_server_that_loads_at_the_start_is_ready_after_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loading = threading.Event()

    def lengths(self: FakeBackend, rows: Sequence[Row]) -> tuple[RowLength, ...]:
        loading.wait(10)
        return tuple(RowLength(1, 1, 0) for _ in rows)

    monkeypatch.setattr(slow.SlowBackend, "lengths", lengths, raising=False)
    with serving(tmp_path / "state", backend="slow", preload=True) as server:
        assert requests.get(server.url + "/readyz", timeout=5).status_code == 503
        assert server.client().post("token_texts", {"tokens": [1]}).json()["state"] == "queued"
        loading.set()
        until(lambda: requests.get(server.url + "/readyz", timeout=5).status_code == 200)
        assert "d2b_gate_model_loaded{" in server.client().ask("GET", "/metrics").text
