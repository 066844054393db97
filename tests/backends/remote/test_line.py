"""The line to a server that fails, lies or goes away: tried again while that helps, then one sentence."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from d2b_gate.backends.remote import line as module
from d2b_gate.backends.remote.binding import Bound
from d2b_gate.backends.remote.line import Line
from d2b_gate.core.errors import EvaluationError, ProbeUnreadableError, UnavailableError, UsageError

TOKEN = "a-very-secret-token"


@contextmanager
def scripted(*answers):
    """A server that gives these answers in turn, the last one from then on; yields (url, requests seen)."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_arguments):
            pass

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            seen.append((self.command, self.path, self.headers.get("Authorization"), body))
            answer = answers[min(len(seen), len(answers)) - 1]
            if answer == "drop":
                self.close_connection = True
                self.connection.close()
                return
            status, content, headers = (*answer, {})[:3]
            content = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content) + headers.get("missing", 0)))
            self.end_headers()
            self.wfile.write(content)
            if headers.get("missing"):
                self.close_connection = True

        do_GET = do_DELETE = do_POST  # noqa: N815 - names that http.server calls

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def line(url, clock=time.monotonic):
    pauses = []
    made = Line(Bound(url, TOKEN), 10.0, sleep=pauses.append, clock=clock)
    return made, pauses


def error(kind="evaluation", what="it broke", **more):
    return {"error": {"kind": kind, "what": what, "where": "", "remedy": "mend it", **more}}


@pytest.mark.parametrize(
    "first", [(503, b""), (502, b"<html>"), (429, error("busy")), "drop", (200, b"{", {"missing": 9})]
)
def test_what_may_pass_is_tried_again(first):
    with scripted(first, (200, {"fine": 1})) as (url, seen):
        asking, pauses = line(url)
        assert asking.ask("POST", "/v1/jobs", {"a": 1}).table == {"fine": 1}
    assert len(seen) == 2
    assert {one[3] for one in seen} == {b'{"a":1}'}, "the same request, so that the server knows it again"
    assert pauses == [module.PAUSES[0]]


def test_a_server_is_asked_no_sooner_than_it_says():
    with scripted((429, error("busy"), {"Retry-After": "7"}), (200, {})) as (url, _):
        asking, pauses = line(url)
        asking.patience = 60.0
        asking.ask("POST", "/v1/jobs", {})
    assert pauses == [7.0]


def test_patience_ends_with_one_sentence():
    times = iter(range(1000))
    with scripted((503, error("unavailable", "restarting"))) as (url, seen):
        asking, _ = line(url, lambda: float(next(times)))
        with pytest.raises(UnavailableError, match=r"gave no answer \(it answered 503: restarting\)") as caught:
            asking.ask("POST", "/v1/model", {})
    assert 2 <= len(seen) <= 5
    assert TOKEN not in str(caught.value)


def test_nobody_listens():
    asking, _ = line("http://127.0.0.1:9")
    asking.patience = 0.0
    with pytest.raises(UnavailableError, match="no connection"):
        asking.ask("GET", "/healthz")


def test_a_redirect_is_not_followed():
    with scripted((200, {})) as (other, elsewhere), scripted((307, b"", {"Location": other})) as (url, _):
        asking, _ = line(url)
        with pytest.raises(UnavailableError, match="answered 307"):
            asking.ask("POST", "/v1/rows", {"rows": []})
    assert elsewhere == []


def test_a_netrc_file_does_not_stand_in_for_the_token(tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with scripted((200, {})) as (url, seen):
        line(url)[0].ask("GET", "/v1/x")
    assert seen[0][2] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        ((422, error()), EvaluationError, "it broke; mend it"),
        ((422, error("unreadable")), ProbeUnreadableError, "it broke"),
        ((403, error("usage", "no such model")), UsageError, "no such model"),
        ((422, error("unavailable", "out of memory")), UnavailableError, "out of memory"),
        ((401, error("usage", "x")), UsageError, "does not know this token"),
        ((404, b"<html>"), UnavailableError, "is no d2b-gate server"),
        ((413, {"error": "odd"}), UnavailableError, "is no d2b-gate server"),
        ((200, b"<html>"), UnavailableError, "it is not JSON"),
        ((200, b"[]"), UnavailableError, "it is no table"),
    ],
)
def test_an_error_of_the_server_is_the_error_of_the_client(answer, kind, said):
    with scripted(answer) as (url, seen):
        asking, _ = line(url)
        with pytest.raises(kind, match=said) as caught:
            asking.ask("POST", "/v1/jobs", {})
    assert type(caught.value) is kind
    assert len(seen) == 1


def test_what_a_server_says_is_escaped_and_cut():
    with scripted((422, error(what="\x1b[31m" + "x" * 10_000))) as (url, _), pytest.raises(EvaluationError) as caught:
        line(url)[0].ask("POST", "/v1/jobs", {})
    assert "\\u001b[31m" in caught.value.what
    assert len(caught.value.what) <= 500


def test_an_answer_has_a_size(monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 1000)
    with (
        scripted((200, {"a": "x" * 2000})) as (url, _),
        pytest.raises(UnavailableError, match="larger than 1000 bytes"),
    ):
        line(url)[0].ask("GET", "/v1/x")
