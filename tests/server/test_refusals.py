"""What is refused: in one shape, with one line, and the server goes on."""

from __future__ import annotations

import json
import socket
import sqlite3
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.remote import said_injection, said_prompts, said_tuning
from d2b_gate.core.rows import row_to_mapping
from d2b_gate.server.gatekeeper import Buffered
from d2b_gate.server.refusal import RefusalError
from tests.server.process import until
from tests.server.support import MODEL, OTHER, PROMPTS, ROWS, TUNING, VECTORS, row, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server.support import Running

LIMITS = {"body_bytes": 20_000, "rows": 20, "row_bytes": 2_000, "arrival_seconds": 0.8, "head_seconds": 0.5}
TEXT = "a row that no log may hold"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("serve") / "state", **LIMITS) as running:
        yield running


@pytest.fixture(autouse=True)
def alive_after_each(server: Running) -> Iterator[None]:
    server.lines.clear()
    yield
    assert requests.get(server.url + "/readyz", timeout=5).json() == {"status": "ready"}
    assert not any(event in line for line in server.lines for event in ("event=bug", "Traceback", TEXT))


def refused(server: Running, answer: requests.Response, status: int, kind: str, reason: str) -> dict[str, str]:
    """The error, once it has the shape that all have, and one line."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    error: dict[str, str] = answer.json()["error"]
    assert set(error) == {"kind", "what", "where", "remedy"}
    assert error["kind"] == kind
    assert error["what"]
    lines = [line for line in server.lines if "event=refused" in line]
    assert len(lines) == 1
    assert f"reason={reason} " in lines[0]
    assert f"status={status}" in lines[0]
    return error


def raw(server: Running, content: bytes, wait: float = 5.0) -> bytes:
    """What a bare connection is answered until it is closed."""
    with socket.create_connection(_address(server), timeout=wait) as line:
        line.sendall(content)
        return _rest(line)


def _rest(line: socket.socket) -> bytes:
    parts = []
    try:
        while part := line.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def _address(server: Running) -> tuple[str, int]:
    host, _, port = server.url.removeprefix("http://").partition(":")
    return host, int(port)


def test_no_token(server: Running) -> None:
    answer = requests.post(server.url + "/v1/rows/missing", json={"keys": []}, timeout=5)
    refused(server, answer, 401, "usage", "no-token")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("said", ["Bearer nonsense", "Bearer " + OTHER[:-1], "Basic " + OTHER, "Bearer", "bearer \xe9"])
def test_a_wrong_token(server: Running, said: str) -> None:
    answer = requests.get(
        server.url + "/v1/jobs/" + "0" * 64, headers={"Authorization": said.encode("latin-1")}, timeout=5
    )
    reason = "wrong-token" if said.lower().startswith("bearer ") else "no-token"
    refused(server, answer, 401, "usage", reason)
    assert said.split()[-1] not in server.lines[0]


@pytest.mark.parametrize("path", ["/metrics", "/openapi.json", "/v1/model", "/docs", "/nothing"])
def test_nothing_is_told_without_a_token(server: Running, path: str) -> None:
    refused(server, requests.get(server.url + path, timeout=5), 401, "usage", "no-token")


def test_health_needs_none(server: Running) -> None:
    assert requests.get(server.url + "/healthz", timeout=5).json() == {"status": "alive"}


@pytest.mark.parametrize("size", [20_001, 70_000, 5_000_000])
def test_a_body_that_is_too_large(server: Running, size: int) -> None:
    answer = server.client().ask("POST", "/v1/rows", data=b"x" * size)
    refused(server, answer, 413, "usage", "body-too-large")


@pytest.mark.parametrize("count", [21, 60])
def test_a_body_that_is_too_large_and_does_not_say_so(server: Running, count: int) -> None:
    pieces = (b"x" * 1_000 for _ in range(count))
    began = time.monotonic()
    answer = server.client().ask("POST", "/v1/rows", data=pieces)
    assert time.monotonic() - began < 3
    refused(server, answer, 413, "usage", "body-too-large")


def test_an_endless_body_is_read_no_further_than_some_bytes(server: Running) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 10_000

    with suppress(requests.ConnectionError):  # it may be closed while this side still sends
        assert server.client().ask("POST", "/v1/rows", data=endless()).status_code == 413
    assert any("reason=body-too-large" in line for line in server.lines)


def test_a_slow_body(server: Running) -> None:
    head = f"POST /v1/rows HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {OTHER}\r\ncontent-type: application/json\r\n"
    began = time.monotonic()
    said = raw(server, (head + "content-length: 500\r\n\r\n" + '{"rows"').encode())
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b"slow-body" not in said
    assert time.monotonic() - began < 3
    assert "reason=slow-body " in server.lines[0]


def test_a_body_that_trickles(server: Running) -> None:
    head = f"POST /v1/rows HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {OTHER}\r\ncontent-length: 500\r\n\r\n"
    with socket.create_connection(_address(server), timeout=5) as line:
        line.sendall(head.encode())
        said = trickled(line, b"x" * 40)
    assert said.startswith(b"HTTP/1.1 408 ")


def trickled(line: socket.socket, content: bytes) -> bytes:
    """Send a byte every tenth of a second, until the other side has had enough."""
    line.settimeout(0.1)
    for index in range(len(content)):
        try:
            line.sendall(content[index : index + 1])
            said = line.recv(65536)
        except TimeoutError:
            continue
        except (ConnectionResetError, BrokenPipeError):
            return b""
        return said
    raise AssertionError("it has endless patience")


@pytest.mark.parametrize("before", [b"", b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n"])
def test_a_head_that_trickles(server: Running, before: bytes) -> None:
    with socket.create_connection(_address(server), timeout=5) as line:
        if before:
            line.sendall(before)
            time.sleep(0.2)
            assert b"alive" in line.recv(65536)
        assert trickled(line, b"GET /healthz HTTP/1.1\r\nx: " + b"y" * 100) == b""
    assert any("reason=slow-head " in line for line in server.lines)


def test_a_connection_that_says_nothing(server: Running) -> None:
    assert raw(server, b"") == b""
    assert "reason=slow-head " in server.lines[0]


@pytest.mark.parametrize("content", [b"nonsense\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"])
def test_what_is_not_http(server: Running, content: bytes) -> None:
    said = raw(server, content)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert json.loads(said.partition(b"\r\n\r\n")[2])["error"]["kind"] == "usage"
    assert "reason=malformed-http " in server.lines[0]


def test_a_head_that_is_too_large(server: Running) -> None:
    said = raw(server, b"GET /healthz HTTP/1.1\r\nx: " + b"y" * 200_000)
    assert said.startswith(b"HTTP/1.1 400 ") or said == b""
    assert any("reason=malformed-http " in line for line in server.lines)


MALFORMED = [
    b"{",
    b"[1,",
    b'{"keys": [NaN]}',
    b'{"keys": Infinity}',
    b"\xff\xfe",
    b'{"keys": [' + b"9" * 5000 + b"]}",
    b"nul",
]


@pytest.mark.parametrize("body", MALFORMED)
def test_malformed_json(server: Running, body: bytes) -> None:
    answer = requests.post(server.url + "/v1/rows/missing", data=body, headers=headers(), timeout=5)
    refused(server, answer, 422, "usage", "malformed-json")


@pytest.mark.parametrize("piece", [b"[", b'{"keys":', b'[{"a":'])
def test_json_that_nests_deeply(server: Running, piece: bytes) -> None:
    answer = requests.post(server.url + "/v1/rows", data=piece * (19_000 // len(piece)), headers=headers(), timeout=5)
    refused(server, answer, 422, "usage", "nesting")


def headers() -> dict[str, str]:
    return {"authorization": f"Bearer {OTHER}", "content-type": "application/json"}


def test_a_body_that_is_not_said_to_be_json(server: Running) -> None:
    answer = requests.post(
        server.url + "/v1/rows", data=b"a=1", headers={**headers(), "content-type": "text/x"}, timeout=5
    )
    refused(server, answer, 415, "usage", "not-json")


BODIES = [
    {},
    {"keys": "x"},
    {"keys": ["x"]},
    {"keys": [1]},
    {"keys": [], "more": 1},
    {"keys": ["A" * 64]},
    [],
    None,
]


@pytest.mark.parametrize("body", BODIES)
def test_json_that_does_not_fit(server: Running, body: object) -> None:
    answer = requests.post(server.url + "/v1/rows/missing", json=body, headers=headers(), timeout=5)
    refused(server, answer, 422, "usage", "malformed")


@pytest.mark.parametrize(
    "row", [{"turns": [["user", TEXT]], "tools": ""}, {"turns": [["user", TEXT, 1]], "tools": ""}, TEXT]
)
def test_a_row_that_is_none_is_not_quoted(server: Running, row: object) -> None:
    error = refused(server, server.client().ask("POST", "/v1/rows", {"rows": [row]}), 422, "usage", "malformed")
    assert "rows.0" in error["what"]
    assert TEXT not in json.dumps(error)


def test_too_many_rows(server: Running) -> None:
    said = [row_to_mapping(row) for row in ROWS[:21]]
    refused(server, server.client().ask("POST", "/v1/rows", {"rows": said}), 413, "usage", "too-many-rows")


def test_a_row_that_is_too_large(server: Running) -> None:
    said = [row_to_mapping(ROWS[0]), {"turns": [["user", TEXT * 100, False]], "tools": ""}]
    error = refused(server, server.client().ask("POST", "/v1/rows", {"rows": said}), 413, "usage", "row-too-large")
    assert error["where"] == "rows[1]"


@pytest.mark.parametrize(
    "change", [{"id": "other/model"}, {"id": "../../etc"}, {"revision": "main"}, {"dtype": "bfloat16"}]
)
def test_a_model_that_is_not_served(server: Running, change: dict[str, str]) -> None:
    for path, more in (("/v1/model", {}), ("/v1/jobs", {"verb": "token_texts", "arguments": {"tokens": [1]}})):
        server.lines.clear()
        answer = server.client().ask("POST", path, {"model": {**MODEL, **change}, **more})
        refused(server, answer, 403, "usage", "model-not-served")


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/nothing"), ("GET", "/docs"), ("POST", "/v1/rows/")])
def test_an_address_that_is_none(server: Running, method: str, path: str) -> None:
    refused(server, server.client().ask(method, path), 404, "unknown", "no-such-address")


def test_a_method_that_is_none(server: Running) -> None:
    answer = server.client().ask("PUT", "/v1/rows", {})
    refused(server, answer, 405, "usage", "wrong-method")
    assert answer.headers["allow"] == "POST"


def test_a_job_that_is_none(server: Running) -> None:
    for method, end in (("GET", ""), ("GET", "/events"), ("GET", "/result"), ("DELETE", "")):
        server.lines.clear()
        answer = server.client().ask(method, f"/v1/jobs/{'0' * 64}{end}")
        refused(server, answer, 404, "unknown", "unknown-job")


def test_a_job_whose_rows_are_not_there(server: Running) -> None:
    answer = server.client().post("gradients", {"rows": [ROWS[3].key, ROWS[2].key, ROWS[3].key]})
    refused(server, answer, 409, "unknown", "rows-missing")
    assert answer.json()["missing"] == [ROWS[3].key, ROWS[2].key]


def test_a_job_under_a_training_that_is_not_there(server: Running) -> None:
    injection = {"kept": [{"job": "1" * 64, "weight": 1.0}]}
    answer = server.client().post("read", {"prompts": said_prompts(PROMPTS[:1]), "injection": injection})
    refused(server, answer, 404, "unknown", "unknown-training")


PROMPT = said_prompts(PROMPTS[:1])
VECTORS_SAID = said_injection(VECTORS)
TUNING_SAID = said_tuning(TUNING)
NONSENSE = [
    ("sleep", {}),
    ("lengths", {}),
    ("lengths", {"rows": [], "more": 1}),
    ("states", {"rows": [], "pooling": "first"}),
    ("tune", {**TUNING_SAID, "rows": TUNING_SAID["rows"][:2]}),
    ("tune", {**TUNING_SAID, "steps": [{"rows": [0, 1], "weights": [1.0]}]}),
    ("tune", {**TUNING_SAID, "steps": [{"rows": [-1], "weights": [1.0]}]}),
    ("tune", {**TUNING_SAID, "learning_rate": "0.1"}),
    ("read", {"prompts": PROMPT, "injection": {}}),
    ("read", {"prompts": PROMPT, "injection": {"kept": []}}),
    ("read", {"prompts": PROMPT, "injection": {**VECTORS_SAID, "kept": []}}),
    ("read", {"prompts": PROMPT, "injection": {**VECTORS_SAID, "sites": [0, 3]}}),
    ("read", {"prompts": PROMPT, "injection": {**VECTORS_SAID, "sites": [1, 1]}}),
    ("read", {"prompts": PROMPT, "injection": {**VECTORS_SAID, "sites": [0]}}),
    ("read", {"prompts": PROMPT, "injection": {**VECTORS_SAID, "vectors": {"shape": [2, 16], "float32": "AAAA"}}}),
    ("read", {"prompts": PROMPT, "injection": {**VECTORS_SAID, "vectors": {"shape": [2, 16], "float32": "?" * 172}}}),
    (
        "read",
        {"prompts": PROMPT, "injection": {**VECTORS_SAID, "vectors": {"shape": [2, 16], "float32": "/////w==" * 16}}},
    ),
    ("read", {"prompts": PROMPT, "injection": {**VECTORS_SAID, "vectors": {"shape": [2**31 - 1] * 2, "float32": ""}}}),
    ("vocabulary", {"prompts": [], "injection": VECTORS_SAID}),
    ("sensitivities", {"prompts": PROMPT, "coefficients": []}),
    ("sensitivities", {"prompts": PROMPT, "coefficients": [[1.0]]}),
    ("complete", {"prompts": PROMPT, "injection": VECTORS_SAID, "drawings": [], "max_tokens": 3}),
    ("complete", {"prompts": PROMPT, "injection": VECTORS_SAID, "drawings": [{}], "max_tokens": 0}),
    ("complete", {"prompts": PROMPT, "injection": VECTORS_SAID, "drawings": [{"seed": 0.5}], "max_tokens": 3}),
    ("token_texts", {"tokens": [2**40]}),
]


@pytest.mark.parametrize(("verb", "arguments"), NONSENSE)
def test_a_job_that_cannot_be(server: Running, verb: str, arguments: dict[str, object]) -> None:
    server.client().send(ROWS[:9])
    server.lines.clear()
    refused(server, server.client().post(verb, arguments), 422, "usage", "malformed")


def test_who_is_refused_is_told_by_name(server: Running) -> None:
    server.client(OTHER).ask("GET", "/v1/nothing")
    assert server.lines[-1].endswith(" by=other")
    assert OTHER not in server.lines[-1]


def test_refusals_are_counted(server: Running) -> None:
    before = server.metric("refusals_total", reason="no-such-address")
    server.client().ask("GET", "/v1/nothing")
    assert server.metric("refusals_total", reason="no-such-address") == before + 1


def test_a_row_with_half_a_surrogate_pair_is_kept_under_its_own_name(server: Running) -> None:
    odd = row("half \ud800 of a pair", "\udfff")
    client = server.client()
    said = client.ask("POST", "/v1/rows", {"rows": [row_to_mapping(odd)]})
    assert said.json() == {"keys": [odd.key]}
    assert client.run("lengths", {"rows": [odd.key]}) == {"lengths": [[4, 0, 0]]}


def test_bodies_of_all_together_are_bounded(tmp_path_factory: pytest.TempPathFactory) -> None:
    head = (
        f"POST /v1/rows HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {OTHER}\r\ncontent-length: 9000\r\n\r\n".encode()
    )
    with serving(tmp_path_factory.mktemp("serve") / "state", body_bytes=10_000, arrival_seconds=5.0) as server:
        lines = [socket.create_connection(_address(server), timeout=5) for _ in range(4)]
        for line in lines:
            line.sendall(head + b"x" * 6_000)
            time.sleep(0.1)
        lines[3].settimeout(2)
        assert lines[3].recv(65536).startswith(b"HTTP/1.1 503 ")
        for line in lines:
            line.close()
        assert any("reason=memory " in line for line in server.lines)
        assert server.client().ask("POST", "/v1/rows", data=b"x" * 9_000).status_code == 415


def test_a_bug_is_an_answer_and_a_line_and_nothing_more(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(tmp_path_factory.mktemp("serve") / "state") as server:
        for error, status, kind in (
            (RuntimeError(TEXT), 500, "evaluation"),
            (sqlite3.OperationalError("database or disk is full"), 503, "unavailable"),
            (OSError("no space left"), 503, "unavailable"),
        ):
            monkeypatch.setattr(server.server._house.rows, "missing", partial(fail, error))
            server.lines.clear()
            answer = server.client().ask("POST", "/v1/rows/missing", {"keys": []})
            assert (answer.status_code, answer.json()["error"]["kind"]) == (status, kind)
            assert not any(TEXT in line or "Traceback" in line for line in server.lines)
            if status == 500:
                until(lambda: any("event=bug error=RuntimeError place=" in line for line in server.lines))
            assert not any("Traceback" in line for line in server.lines)
        monkeypatch.undo()
        assert server.client().ask("POST", "/v1/rows/missing", {"keys": []}).json() == {"missing": []}


def fail(error: Exception, *_: object) -> None:
    raise error


def test_a_client_that_goes_away_leaves_its_place_to_others(tmp_path_factory: pytest.TempPathFactory) -> None:
    with serving(tmp_path_factory.mktemp("serve") / "state", requests=1) as server:
        head = f"POST /v1/rows HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {OTHER}\r\ncontent-length: 500\r\n\r\n"
        line = socket.create_connection(_address(server), timeout=5)
        line.sendall(head.encode())
        other = server.client(OTHER)
        until(lambda: other.ask("GET", "/v1/nothing").status_code == 429)
        line.close()
        until(lambda: other.ask("GET", "/v1/nothing").status_code == 404)


def test_one_token_leaves_room_for_the_bodies_of_others(tmp_path_factory: pytest.TempPathFactory) -> None:
    size = 80_000
    head = f"POST /v1/rows HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {OTHER}\r\ncontent-length: {size}\r\n\r\n"
    with serving(tmp_path_factory.mktemp("serve") / "state", body_bytes=size, arrival_seconds=5.0) as server:
        lines = [socket.create_connection(_address(server), timeout=5) for _ in range(2)]
        for line in lines:
            line.sendall(head.encode() + b"x" * (size - 1))
        time.sleep(0.3)
        for content, status in ((b"x" * 9_000, 415), (b"x" * (size - 5_000), 415)):
            assert server.client().ask("POST", "/v1/rows", data=content).status_code == status
        for line in lines:
            line.close()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 60)), max_size=30))
def test_a_token_always_has_its_share_of_memory(sent: list[tuple[str, int]]) -> None:
    together: list[Buffered] = []
    for owner, size in sent:
        held = Buffered(together, owner, 80)
        own = sum(one.bytes for one in together if one.owner == owner) + size
        try:
            held.grow(size)
        except RefusalError:
            held.release()
            assert own > 10
        else:
            assert own <= 80
        assert sum(one.bytes for one in together) <= 160 + 3 * 10


@pytest.mark.parametrize("said", [b"content-length: 100000000", b"transfer-encoding: chunked"])
def test_who_is_answered_before_the_end_of_its_request_is_not_waited_for(server: Running, said: bytes) -> None:
    with socket.create_connection(_address(server), timeout=5) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nhost: a\r\n" + said + b"\r\n\r\n")
        time.sleep(0.2)
        with suppress(OSError):  # it may be closed already
            line.sendall(b"x")
        assert b"alive" in _rest(line)


def test_connections_are_bounded(tmp_path_factory: pytest.TempPathFactory) -> None:
    with serving(tmp_path_factory.mktemp("serve") / "state", connections=3) as server:
        lines = [socket.create_connection(_address(server), timeout=5) for _ in range(3)]
        time.sleep(0.2)
        assert raw(server, b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n") == b""
        assert any("reason=too-many-connections " in line for line in server.lines)
        for line in lines:
            line.close()
        until(lambda: b"alive" in raw(server, b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"))
