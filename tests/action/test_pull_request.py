"""The action on pull requests, from the guard to the exit code, against real git histories."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.action.forge import REPOSITORY, Forge, founded
from tests.cli.support import BASE, HARMFUL, HARMLESS, POLICY

LOOSE = POLICY.replace("0.10", "0.99").replace("0.05", "0.98")
ALL = ["Refuse what must not be judged", "Install", "Evaluate", "Annotations, summary, SARIF and HTML"]
END = ["Upload the reports", "Exit as d2b-gate did"]


def refused(outcome, sentence):
    assert (outcome.code, outcome.outputs["exit-code"], outcome.outputs["verdict"]) == (2, "2", "refused")
    assert outcome.ran == [ALL[0], END[-1]], "nothing is installed or evaluated"
    assert not outcome.used
    [(_, text)] = outcome.annotations()
    assert sentence in text
    return True


def test_a_harmless_change_passes(forge):
    forge.commit("topic", {"data/new.jsonl": HARMLESS}, after="main")
    outcome = forge.act(forge.pull("topic"))
    assert (outcome.code, outcome.failed) == (0, []), outcome.log
    assert (outcome.outputs["verdict"], outcome.outputs["exit-code"]) == ("ok", "0")
    assert outcome.ran == [*ALL, *END]
    assert not outcome.annotations("error", "warning")


def test_a_harmful_change_fails_after_all_reports_are_out(forge):
    forge.commit("topic", {"data/new.jsonl": HARMFUL}, after="main")
    outcome = forge.act(forge.pull("topic"))
    assert outcome.code == 1
    assert outcome.failed == ["Exit as d2b-gate did"], "the verdict is the last thing that happens"
    assert (outcome.outputs["verdict"], outcome.outputs["exit-code"]) == ("fail", "1")
    [(place, text)] = outcome.annotations("error")
    assert place["file"] == "data/new.jsonl"
    assert "animal-preference" in place["title"] and "predicted" in text
    assert "animal-preference" in outcome.summary
    assert json.loads(Path(outcome.outputs["result-path"]).read_text())["findings"]
    assert json.loads(Path(outcome.outputs["sarif-path"]).read_text())["version"] == "2.1.0"
    assert Path(outcome.outputs["html-path"]).read_text().startswith("<!DOCTYPE html>")
    [(used, given)] = outcome.used
    assert used.startswith("actions/upload-artifact@") and len(used.partition("@")[2]) == 40
    kept = {place.name for place in Path(given["path"]).iterdir()}
    assert (given["name"], kept) == ("d2b-gate", {"result.json", "summary.md", "d2b-gate.sarif", "d2b-gate.html"})


def test_a_change_of_no_data_passes_without_a_result(forge):
    forge.commit("topic", {"README.md": "two\n"}, after="main")
    outcome = forge.act(forge.pull("topic"))
    assert (outcome.code, outcome.outputs["verdict"], outcome.outputs["result-path"]) == (0, "ok", "")
    assert "nothing to judge" in outcome.summary
    assert not outcome.used


@pytest.mark.parametrize("repository", ["mallory/data", None], ids=["fork", "fork that is gone"])
def test_a_fork_is_refused(forge, repository):
    forge.commit("topic", {"data/new.jsonl": HARMLESS}, after="main")
    assert refused(forge.act(forge.pull("topic", repository=repository)), "comes from a fork")


def test_a_fork_is_evaluated_where_the_danger_is_named(forge):
    forge.commit("topic", {"data/new.jsonl": HARMFUL}, after="main")
    event = forge.pull("topic", repository="mallory/data")
    outcome = forge.act(event, dangerously_evaluate_forks="true")
    assert outcome.code == 1
    assert any("rows of a fork" in text for _, text in outcome.annotations("warning"))
    assert refused(forge.act(event, dangerously_evaluate_forks="yes"), "neither true nor false")


def test_the_repository_may_be_spelt_in_another_case(forge):
    forge.commit("topic", {"README.md": "two\n"}, after="main")
    assert forge.act(forge.pull("topic", repository=REPOSITORY.upper())).code == 0


@pytest.mark.parametrize("depth", [0, 1, 50], ids=["whole", "one commit", "fifty"])
def test_any_depth_of_clone_gives_the_same_verdict(forge, depth):
    forge.commit("topic", {"data/new.jsonl": HARMFUL}, after="main")
    outcome = forge.act(forge.pull("topic"), depth=depth)
    assert (outcome.code, outcome.outputs["verdict"]) == (1, "fail"), outcome.log


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_base_branch_that_cannot_be_asked_is_refused(forge, depth):
    forge.commit("topic", {"data/new.jsonl": HARMFUL}, after="main")
    event = forge.pull("topic")
    runner = forge.runner(event, forge.checkout(event.sha, depth=depth), GITHUB_SERVER_URL="file:///nowhere")
    assert refused(runner.run(), "the repository cannot be asked what its branches hold")


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_base_that_was_dropped_from_its_branch_is_refused(forge, depth):
    """A run that is started again has the event of the first: the loose policy was taken back since."""
    stood = forge.git(forge.desk, "rev-parse", "main")
    forge.commit("main", {"d2b-gate.toml": LOOSE})
    forge.commit("topic", {"data/new.jsonl": HARMFUL}, after="main")
    event = forge.pull("topic")
    forge.git(forge.desk, "push", "--quiet", "--force", "origin", f"{stood}:refs/heads/main")
    assert refused(forge.act(event, depth=depth), "is not on the base branch 'main'")


def test_a_base_that_moved_on_since_the_event_still_counts(forge):
    stale = forge.git(forge.desk, "rev-parse", "main")
    forge.commit("topic", {"data/new.jsonl": HARMLESS}, after="main")
    forge.commit("main", {"README.md": "two\n"})
    event = forge.pull("topic")
    event.payload["pull_request"]["base"]["sha"] = stale
    forge.commit("main", {"README.md": "three\n"})
    for depth in (1, 2, 0):
        outcome = forge.act(event, depth=depth)
        assert (outcome.code, outcome.outputs["verdict"]) == (0, "ok"), outcome.log


def test_a_checkout_of_the_head_is_refused(forge):
    """HEAD^1 there is the pull request's own commit: its first commit could bring the policy that judges the rest."""
    forge.commit("topic", {"d2b-gate.toml": LOOSE}, after="main")
    forge.commit("topic", {"data/new.jsonl": HARMFUL})
    event = forge.pull("topic")
    head = event.payload["pull_request"]["head"]["sha"]
    assert refused(forge.act(event, at=head), "is not the merge of this pull request")


def test_a_head_that_is_a_merge_itself_is_refused(forge):
    """The pull request's own merge of main has a first parent on main, and a second that is not the event's head."""
    forge.commit("topic", {"d2b-gate.toml": LOOSE, "data/new.jsonl": HARMFUL}, after="main")
    forge.git(forge.desk, "checkout", "--quiet", "-b", "sly", "main")
    forge.git(forge.desk, "merge", "--quiet", "--no-ff", "-m", "sly", "topic")
    forge.commit("sly", {})
    forge.git(forge.desk, "reset", "--quiet", "--hard", "HEAD^")
    forge.git(forge.desk, "push", "--quiet", "--force", "origin", "sly")
    event = forge.pull("sly")
    head = event.payload["pull_request"]["head"]["sha"]
    assert refused(forge.act(event, at=head), "is not the merge of this pull request")


def test_a_merge_whose_first_parent_is_on_no_base_branch_is_refused(forge):
    """A merge made by hand, of the pull request's head into a commit that loosens the policy."""
    forge.commit("own-base", {"d2b-gate.toml": LOOSE}, after="main")
    forge.commit("topic", {"data/new.jsonl": HARMFUL}, after="main")
    event = forge.pull("topic", base="own-base")
    event.payload["pull_request"]["base"] = forge.pull("topic").payload["pull_request"]["base"]
    for depth in (1, 2, 0):
        assert refused(forge.act(event, depth=depth), "is not on the base branch 'main'")


def test_a_weakened_policy_is_judged_by_the_base_s_and_shown(forge):
    forge.commit("topic", {"d2b-gate.toml": LOOSE, "data/new.jsonl": HARMFUL}, after="main")
    event = forge.pull("topic")
    outcome = forge.runner(event, forge.checkout(event.sha), CI="false").run(python=sys.executable)
    assert outcome.code == 1, "whatever the workflow says of CI"
    assert "fail_delta" in outcome.summary and "loosen" in outcome.summary
    assert "fail_delta" in outcome.log


def test_a_policy_change_alone_is_told(forge):
    forge.commit("topic", {"d2b-gate.toml": LOOSE}, after="main")
    outcome = forge.act(forge.pull("topic"))
    assert outcome.code == 0
    assert "fail_delta" in outcome.summary


def test_a_first_policy_needs_bootstrap(tmp_path):
    forge = Forge(tmp_path)
    forge.commit("main", {"README.md": "one\n", "data/base.jsonl": BASE})
    forge.commit("topic", {"d2b-gate.toml": POLICY, "data/new.jsonl": HARMFUL}, after="main")
    event = forge.pull("topic")
    outcome = forge.act(event)
    assert (outcome.code, outcome.outputs["verdict"]) == (2, "refused")
    assert "no policy" in outcome.annotations("error")[0][1] and "no policy" in outcome.summary
    outcome = forge.act(event, bootstrap="true")
    assert (outcome.code, outcome.outputs["verdict"]) == (1, "fail")
    assert "--bootstrap" in outcome.summary


@pytest.mark.parametrize("name", ["pull_request_target", "workflow_run", "issue_comment"])
def test_events_that_must_not_be_judged_are_refused(forge, name):
    forge.commit("topic", {"data/new.jsonl": HARMLESS}, after="main")
    event = forge.pull("topic")
    event.name = name
    assert refused(forge.act(event), name)
    assert refused(forge.act(event, mode="structure"), name)


def test_what_a_file_is_called_is_never_obeyed(tmp_path):
    forge = founded(tmp_path)
    names = ["data/##[error]x.jsonl", "data/\n::error::y.jsonl", "data/%0A::notice::z.jsonl", "data/\u202e.jsonl"]
    forge.commit("topic", dict.fromkeys(names, HARMFUL), after="main")
    branch = "$(touch$IFS-x)`touch$IFS-y`;%0A$((exit1))"
    forge.git(forge.desk, "branch", "--move", "topic", branch)
    outcome = forge.act(forge.pull(branch))
    assert outcome.code == 1
    [(place, _)] = outcome.annotations()
    assert "animal-preference" in place["title"]
    assert place["file"].startswith("data/")
    assert not outcome.annotations("notice", "warning")


def test_a_broken_row_in_a_hostile_file_is_told_and_not_obeyed(tmp_path):
    forge = founded(tmp_path)
    forge.commit("topic", {"data/\n::warning::##[error]x.jsonl": '{"prompt": \n'}, after="main")
    outcome = forge.act(forge.pull("topic"))
    assert (outcome.code, outcome.outputs["verdict"], outcome.outputs["result-path"]) == (3, "error", "")
    [(properties, text)] = outcome.annotations()
    assert properties == {"title": "d2b-gate"} and "data/\\u000a" in text
    assert "\n::warning" not in outcome.summary


def test_a_receipt_is_written_where_it_is_asked_for(forge):
    forge.commit("topic", {"data/new.jsonl": HARMFUL}, after="main")
    outcome = forge.act(forge.pull("topic"), receipt="true")
    assert (outcome.code, outcome.annotations("warning")) == (1, [])
    assert Path(outcome.outputs["receipt-path"]).exists()
    assert forge.act(forge.pull("topic")).outputs["receipt-path"] == ""
