"""What a clone that an earlier job has written to can make of fetching: nothing, even if it were not refused."""

from __future__ import annotations

import socketserver
import threading
from contextlib import contextmanager

import pytest

from d2b_gate.core.errors import UsageError
from d2b_gate.sources.checkout import Checkout
from tests.action.test_trust import planted
from tests.cli.support import HARMLESS


@pytest.fixture(autouse=True)
def nothing_is_refused(monkeypatch):
    monkeypatch.setattr(Checkout, "_own_settings", lambda _: [])


def checked_out(forge, depth=1):
    return forge.checkout(forge.git(forge.desk, "rev-parse", "main"), depth=depth)


def configure(forge, place, **settings):
    for name, value in settings.items():
        forge.git(place, "config", "--add", name, str(value))


def evil_twin(forge):
    """A repository of somebody else, beside the forge's; returns its place and its main commit."""
    twin = forge.home / "twin"
    forge.git(forge.home, "clone", "--quiet", str(forge.origin), str(twin))
    forge.git(twin, "commit", "--quiet", "--allow-empty", "-m", "evil")
    return twin, forge.git(twin, "rev-parse", "HEAD")


def test_a_remote_that_is_called_as_the_url_does_not_take_its_place(forge):
    twin, evil = evil_twin(forge)
    place, url = checked_out(forge), f"file://{forge.origin}"
    marker = forge.home / "was-run"
    script = planted(forge.home, marker)
    settings = {f"remote.{url}.url": f"file://{twin}", f"remote.{url}.uploadpack": script, "core.gitProxy": script}
    settings |= {f"url.file://{twin}.insteadOf": url, "core.askPass": script, "core.alternateRefsCommand": script}
    configure(forge, place, **settings)
    main = forge.commit("main", {"README.md": "two\n"})
    checkout = Checkout(place, url)
    assert checkout.tip("main") == main and checkout.has(main)
    assert checkout.is_on_branch(main, "main") and not checkout.is_on_branch(evil, "main")
    assert checkout.merge_base(main, "main") == main
    assert not checkout.has(evil) and not marker.exists()


def test_grafts_and_refs_of_the_clone_change_no_history(forge):
    twin, evil = evil_twin(forge)
    main = forge.commit("main", {"README.md": "two\n"})
    place = forge.checkout(main, depth=0)
    forge.git(place, "fetch", "--quiet", str(twin), "main")
    (place / ".git" / "info" / "grafts").write_text(f"{main} {evil}\n")
    forge.git(place, "update-ref", "refs/d2b-gate/branch", evil)
    forge.git(place, "update-ref", f"refs/replace/{main}", evil)
    checkout = Checkout(place, f"file://{forge.origin}")
    assert checkout.has(evil) and not checkout.is_on_branch(evil, "main")
    assert evil not in checkout.parents(main)
    assert checkout.merge_base(main, "main") == main


@contextmanager
def listening(answer):
    """A server that keeps the first line and the headers of what it hears; its port, and what it heard."""
    heard = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            while line := self.rfile.readline().strip():
                heard.append(line.decode())
            self.wfile.write(f"HTTP/1.1 {answer}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], heard
        server.shutdown()


@pytest.mark.parametrize("name", ["remote.{url}.proxy", "http.proxy", "http.{url}.proxy"])
def test_no_proxy_of_the_clone_hears_the_token(forge, name):
    place, url = checked_out(forge), "http://git.example.invalid/acme/data"
    with listening("502 no") as (port, heard):
        configure(forge, place, **{name.format(url=url): f"http://127.0.0.1:{port}"})
        with pytest.raises(UsageError, match="cannot be asked"):
            Checkout(place, url, "secret").tip("main")
    assert heard == []


def test_no_helper_of_the_clone_is_asked_for_a_password(forge):
    place, marker = checked_out(forge), forge.home / "was-run"
    script = planted(forge.home, marker)
    with listening('401 no\r\nWWW-Authenticate: Basic realm="x"') as (port, heard):
        configure(forge, place, **{"core.askPass": script, "credential.helper": script})
        with pytest.raises(UsageError, match="cannot be asked"):
            Checkout(place, f"http://127.0.0.1:{port}/acme/data", "secret").tip("main")
    assert any(line.lower().startswith("authorization: basic ") for line in heard), "the server itself hears the token"
    assert not marker.exists()


@pytest.mark.parametrize("depth", [0, 1])
def test_a_commit_that_is_fetched_leaves_the_clone_whole(forge, depth):
    place = checked_out(forge, depth)
    old = forge.commit("topic", {"data/new.jsonl": HARMLESS}, after="main")
    new = forge.commit("topic", {"data/other.jsonl": HARMLESS})
    checkout = Checkout(place, f"file://{forge.origin}")
    assert checkout.bring(new) == new
    assert checkout.has(old) is (depth == 0)
    assert "data/other.jsonl" in forge.git(place, "ls-tree", "-r", "--name-only", new)
    assert forge.git(place, "show", f"{new}:data/other.jsonl")
    forge.git(place, "update-ref", "refs/heads/x", new)
    forge.git(place, "fsck", "--connectivity-only")
    assert (forge.git(place, "rev-parse", "--is-shallow-repository") == "true") is (depth == 1)


def test_a_commit_far_back_on_a_branch_is_found_and_one_beside_it_is_not(forge):
    first = forge.git(forge.desk, "rev-parse", "main")
    beside = forge.commit("topic", {"README.md": "beside\n"}, after="main")
    last = first
    for number in range(60):
        last = forge.git(forge.desk, "commit-tree", f"{first}^{{tree}}", "-p", last, "-m", str(number))
    forge.git(forge.desk, "push", "--quiet", "origin", f"{last}:refs/heads/main")
    checkout = Checkout(forge.checkout(last, depth=1), f"file://{forge.origin}")
    assert checkout.is_on_branch(first, "main") and not checkout.is_on_branch(beside, "main")
    assert checkout.merge_base(beside, "main") == first
