from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.errors import UsageError
from d2b_gate.forge.event import NoPull, Numbered, OfHead, asked_by, judging_run

SHA = "a1" * 20
NAMES = st.sampled_from(["pull_request", "workflow_run", "merge_group", "push", "issue_comment", ""])
KEYS = st.sampled_from(
    [
        *("pull_request", "workflow_run", "merge_group", "after", "number", "head", "sha", "head_sha", "event", "id"),
        *("head_repository", "head_branch", "owner", "login"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from([SHA, "pull_request", "x"]) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=20,
)


@given(NAMES, VALUES)
def test_whatever_an_event_holds_is_read_or_refused(name, content):
    raw = json.dumps(content).encode()
    with suppress(UsageError):
        judging_run(name, raw)
    with suppress(UsageError):
        found = asked_by(name, raw)
        assert isinstance(found, Numbered | OfHead | NoPull)
        assert not isinstance(found, Numbered) or (found.number > 0 and found.head == SHA)


@given(st.binary(max_size=20))
def test_bytes_that_are_no_json_are_refused(raw):
    with suppress(UsageError):
        asked_by("push", raw)


def run_of(**changed):
    owner = {"full_name": "mallory/data", "owner": {"login": "mallory"}}
    run = {"id": 76, "event": "pull_request", "head_sha": SHA, "head_branch": "x", "head_repository": owner}
    return json.dumps({"workflow_run": {**run, **changed}}).encode()


def test_a_workflow_run_names_its_head_and_no_number():
    numbered = run_of(pull_requests=[{"number": 9}])
    assert asked_by("workflow_run", numbered) == OfHead(SHA, "mallory", "x")
    assert judging_run("workflow_run", numbered) == "76"
    assert judging_run("pull_request", numbered) == ""


def test_a_workflow_run_of_a_fork_that_is_gone_has_none():
    assert asked_by("workflow_run", run_of(head_repository=None)) == NoPull("the fork that the run was of is gone", SHA)


@pytest.mark.parametrize("sha", ["", "a1" * 19, "A1" * 20, f"{SHA}\n", f"{SHA}/../x", None, 7])
def test_a_head_is_a_whole_commit_id(sha):
    with pytest.raises(UsageError, match=r"event\.workflow_run\.head_sha: "):
        asked_by("workflow_run", run_of(head_sha=sha))
