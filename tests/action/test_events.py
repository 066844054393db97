"""The action on pushes, merge queues and runs by hand."""

from __future__ import annotations

import pytest

from tests.action.forge import Event, Forge
from tests.action.test_pull_request import LOOSE, refused
from tests.cli.support import BASE, HARMFUL, HARMLESS, POLICY

ZEROS = "0" * 40


@pytest.mark.parametrize("depth", [1, 0])
def test_a_push_is_compared_with_what_the_branch_held(forge, depth):
    before = forge.git(forge.desk, "rev-parse", "main")
    forge.commit("main", {"data/new.jsonl": HARMFUL})
    forge.commit("main", {"README.md": "two\n"})
    event = forge.push("main", before)
    outcome = forge.act(event, depth=depth)
    assert (outcome.code, outcome.outputs["verdict"]) == (1, "fail"), outcome.log


@pytest.mark.parametrize("depth", [1, 2, 0])
def test_a_new_branch_is_compared_with_where_it_left_the_default_branch(forge, depth):
    forge.commit("main", {"README.md": "two\n"})
    forge.commit("topic", {"data/new.jsonl": HARMFUL}, after="main")
    forge.commit("topic", {"README.md": "three\n"})
    forge.commit("main", {"data/other.jsonl": HARMLESS})
    outcome = forge.act(forge.push("topic", ZEROS), depth=depth)
    assert outcome.code == 1, outcome.log
    assert "data/other" not in outcome.log, "what only the default branch has is no change of this one"


def test_a_new_branch_without_a_change_passes(forge):
    forge.git(forge.desk, "branch", "topic", "main")
    assert forge.act(forge.push("topic", ZEROS), depth=1).code == 0


def test_the_first_push_of_a_repository_is_all_new(tmp_path):
    forge = Forge(tmp_path)
    forge.commit("main", {"d2b-gate.toml": POLICY, "data/base.jsonl": BASE, "data/new.jsonl": HARMFUL})
    event = forge.push("main", ZEROS)
    assert forge.act(event, depth=1).code == 2
    outcome = forge.act(event, depth=1, bootstrap="true")
    assert outcome.outputs["verdict"] in ("fail", "warn", "inconclusive"), outcome.log


def test_a_forced_push_is_compared_with_what_the_branch_held(forge):
    forge.commit("topic", {"data/new.jsonl": HARMLESS}, after="main")
    before = forge.git(forge.desk, "rev-parse", "topic")
    forge.git(forge.desk, "reset", "--quiet", "--hard", "main")
    forge.commit("topic", {"data/new.jsonl": HARMFUL})
    outcome = forge.act(forge.push("topic", before, forced=True), depth=1)
    assert outcome.code == 1, outcome.log
    assert before[:12] in outcome.log


def test_a_forced_push_over_a_lost_commit(forge):
    lost = "1234567890" * 4
    forge.commit("topic", {"data/new.jsonl": HARMFUL}, after="main")
    assert forge.act(forge.push("topic", lost, forced=True), depth=1).code == 1, "as a new branch is"
    forge.commit("main", {"README.md": "two\n"})
    assert refused(forge.act(forge.push("main", lost, forced=True)), "is gone")


def test_a_shallow_clone_whose_base_cannot_be_had_is_refused(forge):
    before = forge.git(forge.desk, "rev-parse", "main")
    forge.commit("main", {"data/new.jsonl": HARMFUL})
    event = forge.push("main", before)
    queue = Event("merge_group", event.sha, event.ref, {"merge_group": {"base_sha": before, "head_sha": event.sha}})
    runner = forge.runner(queue, forge.checkout(event.sha, depth=1), GITHUB_SERVER_URL="file:///nowhere")
    assert refused(runner.run(), "'fetch-depth: 2'")


def test_a_push_with_another_checkout_is_refused(forge):
    before = forge.git(forge.desk, "rev-parse", "main")
    forge.commit("main", {"data/new.jsonl": HARMFUL})
    assert refused(forge.act(forge.push("main", before), at=before), "is not the commit of the push")


def queued(forge: Forge, branch: str) -> Event:
    event = forge.pull(branch)
    merge = {"base_sha": event.payload["pull_request"]["base"]["sha"], "head_sha": event.sha, "base_ref": "main"}
    ref = f"refs/heads/gh-readonly-queue/main/pr-1-{event.sha}"
    return Event("merge_group", event.sha, ref, {"merge_group": merge})


@pytest.mark.parametrize("depth", [1, 2])
def test_a_merge_group_is_compared_with_what_the_queue_builds_on(forge, depth):
    forge.commit("topic", {"d2b-gate.toml": LOOSE, "data/new.jsonl": HARMFUL}, after="main")
    outcome = forge.act(queued(forge, "topic"), depth=depth)
    assert outcome.code == 1, outcome.log


def test_a_merge_group_with_another_checkout_is_refused(forge):
    forge.commit("topic", {"data/new.jsonl": HARMFUL}, after="main")
    event = queued(forge, "topic")
    head = forge.git(forge.desk, "rev-parse", "topic")
    assert refused(forge.act(event, at=head), "is not the commit of the merge group")


def by_hand(forge: Forge, branch: str) -> Event:
    return Event(
        "workflow_dispatch", forge.git(forge.desk, "rev-parse", branch), f"refs/heads/{branch}", {"inputs": {}}
    )


def test_by_hand_on_the_default_branch_the_commit_before_is_the_base(forge):
    forge.commit("main", {"data/new.jsonl": HARMFUL})
    assert forge.act(by_hand(forge, "main"), depth=1).code == 1
    forge.commit("main", {"README.md": "two\n"})
    assert forge.act(by_hand(forge, "main"), depth=1).code == 0


def test_by_hand_on_a_branch_the_base_is_where_it_left(forge):
    forge.commit("topic", {"data/new.jsonl": HARMFUL}, after="main")
    forge.commit("topic", {"README.md": "two\n"})
    assert forge.act(by_hand(forge, "topic"), depth=1).code == 1


@pytest.mark.parametrize("named", ["branch", "commit"])
def test_by_hand_the_base_may_be_named(forge, named):
    first = forge.git(forge.desk, "rev-parse", "main")
    forge.git(forge.desk, "push", "--quiet", "origin", "main:refs/heads/stood/then")
    forge.commit("main", {"data/new.jsonl": HARMFUL})
    forge.commit("main", {"README.md": "two\n"})
    base = {"branch": "stood/then", "commit": first}[named]
    assert forge.act(by_hand(forge, "main"), depth=1, base=base).code == 1


def test_by_hand_a_base_that_nobody_merged_is_refused(forge):
    """Its check would land on the head of the pull request that it judges by a policy of its author."""
    loose = forge.commit("topic", {"d2b-gate.toml": LOOSE}, after="main")
    forge.commit("own-base", {"README.md": "own\n"}, after="topic")
    head = forge.commit("topic", {"data/new.jsonl": HARMFUL})
    for base in (loose, "own-base"):
        for depth in (1, 0):
            refusal = "is not on the default branch 'main'"
            assert refused(forge.act(by_hand(forge, "topic"), depth=depth, base=base), refusal)
    for base in (head, "topic"):
        assert refused(forge.act(by_hand(forge, "topic"), base=base), "is the very commit that is judged")


@pytest.mark.parametrize("base", ["nowhere", "--upload-pack=touch x", "main:refs/heads/x", "*", "f" * 40])
def test_a_base_that_is_none_is_refused(forge, base):
    assert refused(forge.act(by_hand(forge, "main"), base=base), "")


def test_a_base_is_refused_where_the_event_has_one(forge):
    forge.commit("topic", {"data/new.jsonl": HARMFUL}, after="main")
    assert refused(forge.act(forge.pull("topic"), base="topic"), "the input 'base' is refused on pull_request")
