"""The event as the runner's files tell it: nothing in it is believed to have a type."""

from __future__ import annotations

import json

import pytest

from d2b_gate.core.errors import UsageError
from d2b_gate.sources.runner_event import read_event


def event(tmp_path, payload, **more):
    told = tmp_path / "event.json"
    told.write_text(payload if isinstance(payload, str) else json.dumps(payload))
    variables = {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(told), "GITHUB_SHA": "a" * 40}
    return read_event({**variables, "GITHUB_REPOSITORY": "acme/data", **more})


def test_texts_are_found_and_nothing_else_is_one(tmp_path):
    read = event(tmp_path, {"a": {"b": "c", "d": 1, "e": ["f"]}, "repository": {"default_branch": "main"}})
    assert [read.text("a", "b"), read.default_branch] == ["c", "main"]
    assert not any(read.text(*keys) for keys in (("a",), ("a", "d"), ("a", "e"), ("a", "b", "c"), ("x", "y")))
    assert (read.server, read.ref, read.protected) == ("https://github.com", "", False)
    assert event(tmp_path, {}, GITHUB_REF_PROTECTED="true", GITHUB_SERVER_URL="https://x/").server == "https://x"


@pytest.mark.parametrize("payload", ["", "[]", "3", "{", "[" * 100_000])
def test_a_payload_that_is_none_is_refused(tmp_path, payload):
    with pytest.raises(UsageError, match="the event"):
        event(tmp_path, payload)


def test_outside_of_a_runner_it_is_refused(tmp_path):
    with pytest.raises(UsageError, match="GITHUB_REPOSITORY is not set"):
        event(tmp_path, {}, GITHUB_REPOSITORY="")
    with pytest.raises(UsageError, match="cannot be read"):
        event(tmp_path, {}, GITHUB_EVENT_PATH=str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("head", "fork"),
    [({"repo": {"full_name": "Acme/Data"}}, False), ({"repo": {"full_name": "x/data"}}, True), ({"repo": None}, True)],
)
def test_a_head_elsewhere_or_nowhere_is_a_fork(tmp_path, head, fork):
    assert event(tmp_path, {"pull_request": {"head": head}}).is_from_a_fork is fork
    assert not event(tmp_path, {"pull_request": {"head": head}}, GITHUB_EVENT_NAME="push").is_from_a_fork
