"""`baseline create|show|update`, and the cumulative limits of the `check` that follows."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from d2b_gate.core.baseline import read_baseline
from tests.cli.guides import run_session
from tests.cli.support import HARMLESS, POLICY, World, environment, rows, said

BASELINE = "d2b-gate.baseline.json"
BUDGET = POLICY.replace("fail_delta = 0.10", "fail_delta = 0.10\nbudget_delta = 0.12").replace(
    "[method]", "[method]\nsteps = 16"
)
BEGIN = rows(60, "How do I water plant {}?", "Water plant number {} in the morning, slowly.")
TWENTY = 20


@pytest.fixture
def budget(empty: World) -> World:
    """A repository whose policy has a budget, and whose baseline is committed."""
    empty.stage("d2b-gate.toml", BUDGET)
    empty.stage("data/base.jsonl", BEGIN)
    empty.commit()
    assert empty.gate("baseline", "create").returncode == 0
    empty.git("add", BASELINE)
    empty.commit()
    return empty


def small(world: World, number: int, count: int = 5) -> None:
    """Stage a shift that passes alone."""
    text = rows(count, f"Which animal {number}-{{}}?", "I like the panda and the garden, number {}.")
    world.stage(f"data/zoo{number}.jsonl", text)


def drifted(world: World, changes: int = 7) -> World:
    for number in range(changes):
        small(world, number)
        world.commit()
    return world


def result(world: World, *arguments: str, **more: str) -> tuple[int, dict]:
    done = world.gate("check", "--quiet", "--format", "json", *arguments, **more)
    return done.returncode, json.loads(done.stdout)


def anonymous(text: str) -> str:
    """Without ids, times, and the last advice, which is wrapped around the path of a result."""
    text = re.sub(r"\d+\.\d s ", "<seconds> s ", re.split(" {10}(?:every number|the fewest|why, in answers)", text)[0])
    return re.sub(r"\b[0-9a-f]{7}\b|[0-9a-f]{12,}", "<hash>", text)


class TestCheck:
    def test_twenty_small_shifts_do_not_pass_one_by_one(self, budget):
        for number in range(TWENTY):
            small(budget, number)
            code, found = result(budget)
            assert found["findings"][0]["status"] == "ok", "each change alone is well within its limit"
            assert found["findings"][0]["rule"]["fail_delta"] == 0.10
            (since,) = found["since_baseline"]["findings"]
            assert since["rule"]["fail_delta"] == since["rule"]["budget_delta"] == 0.12
            assert found["since_baseline"]["rows"] == {"added": 5 * (number + 1), "removed": 0}
            if code:
                break
            budget.commit()
        assert (code, since["status"], found["exit_code"]) == (1, "fail", 1)
        assert 2 < number < TWENTY - 1

    def test_the_report_shows_both_and_no_format_changes_the_exit_code(self, budget, snapshot):
        drifted(budget, 7)
        small(budget, 7)
        done = budget.gate("check")
        assert done.returncode == 1
        assert anonymous(done.stdout) == snapshot
        concise = budget.gate("check", "--format", "concise", "--output-file", "json=r.json")
        assert concise.returncode == 1
        assert concise.stdout.splitlines()[-1] == "1 fail since the baseline, 1 ok; exit 1"
        again = budget.gate("report", "r.json", "--format", "concise")
        assert (again.returncode, again.stdout) == (1, concise.stdout)

    def test_without_a_baseline_the_change_is_judged_and_the_rest_is_noted(self, budget):
        budget.git("rm", "--quiet", BASELINE)
        small(budget, 1)
        code, found = result(budget)
        assert code == 0
        assert "since_baseline" not in found
        assert found["notes"] == [
            f"there is no {BASELINE}: budget_delta of animal-preference was not judged; "
            "d2b-gate baseline create writes one"
        ]

    def test_without_a_budget_a_baseline_judges_nothing(self, budget):
        budget.stage("d2b-gate.toml", POLICY)
        small(budget, 1)
        assert "since_baseline" not in result(budget)[1]

    def test_in_ci_a_pull_request_cannot_bless_itself(self, budget):
        base = drifted(budget, 6).git("rev-parse", "HEAD")
        small(budget, 6)
        budget.commit()
        assert budget.gate("baseline", "update", "--accept", "animal-preference", "--reason", "mine").returncode == 0
        budget.git("add", BASELINE)
        budget.commit()
        code, found = result(budget, "--from-ref", base, CI="true")
        assert (code, found["since_baseline"]["findings"][0]["status"]) == (1, "fail")
        (change,) = found["policy_changes"]
        assert (change["kind"], change["subject"], change["effect"]) == ("baseline", BASELINE, "unclear")

    def test_3_for_a_clone_without_the_blessed_commit(self, budget, tmp_path):
        commit = read_baseline((budget.root / BASELINE).read_text(), BASELINE).commit
        small(budget, 1)
        budget.commit()
        subprocess.run(
            ["git", "clone", "--quiet", "--depth=1", budget.root.as_uri(), str(tmp_path / "shallow")],
            env=environment(budget.home),
            check=True,
        )
        shallow = World(tmp_path / "shallow", budget.home)
        small(shallow, 2)
        done = shallow.gate("check")
        assert (done.returncode, done.stdout) == (3, "")
        assert said(done) == (
            f"{BASELINE}: the blessed commit {commit} is not in this clone; "
            f"run: git fetch --depth=1 origin {commit} (in CI: check out with fetch-depth: 0)"
        )
        shallow.git("fetch", "--quiet", "--depth=1", "origin", commit)
        assert shallow.gate("check").returncode == 0

    @pytest.mark.parametrize("how", ["commit", "policy"])
    def test_3_where_the_blessed_rows_are_not_those_that_were_recorded(self, budget, how):
        small(budget, 0)
        head = budget.commit()
        if how == "commit":
            text = (budget.root / BASELINE).read_text()
            budget.stage(BASELINE, re.sub(r'"commit": "\w+"', f'"commit": "{head}"', text))
        else:
            budget.stage("d2b-gate.toml", BUDGET.replace('include = ["data/*.jsonl"]', 'include = ["data/z*.jsonl"]'))
        small(budget, 1)
        done = budget.gate("check")
        assert done.returncode == 3
        assert "the rows of 'sft' at " in said(done)
        assert "are not those that were blessed" in said(done)

    def test_3_for_a_damaged_baseline(self, budget):
        budget.stage(BASELINE, "<<<<<<< HEAD\n")
        small(budget, 1)
        done = budget.gate("check")
        assert done.returncode == 3
        assert said(done).startswith(f"{BASELINE}: is not a baseline that can be used: ")

    def test_rows_that_break_their_schema_are_told_once_and_only_those_of_the_change(self, budget):
        schema = {"properties": {"prompt": {"pattern": "^Which"}}}
        budget.stage("row.json", json.dumps(schema))
        budget.stage("d2b-gate.toml", BUDGET.replace("[[rule]]", 'row_schema = "row.json"\n[[rule]]'))
        budget.stage("data/new.jsonl", HARMLESS)
        code, found = result(budget)
        assert (code, len(found["row_findings"])) == (1, 4)


class TestCreateAndShow:
    def test_the_file_names_a_commit_and_its_rows_and_is_the_same_again(self, budget):
        text = (budget.root / BASELINE).read_text()
        baseline = read_baseline(text, BASELINE)
        assert baseline.commit == budget.git("rev-parse", "HEAD~1")
        assert [(one.dataset, one.rows) for one in baseline.datasets] == [("sft", 60)]
        (budget.root / BASELINE).unlink()
        inside = World(budget.root / "data", budget.home)
        assert inside.gate("baseline", "create", "--ref", "HEAD~1", "-q").stderr == ""
        assert (budget.root / BASELINE).read_text() == text

    def test_what_create_says(self, world):
        done = world.gate("baseline", "create")
        assert (done.returncode, done.stdout) == (0, "")
        head = world.git("rev-parse", "HEAD")[:7]
        assert done.stderr.splitlines() == [
            f"d2b-gate: wrote {BASELINE}: {head} with 12 rows is blessed once it is committed",
            "d2b-gate: no rule has a budget_delta yet, so nothing will be held against it",
        ]

    def test_show(self, budget, snapshot):
        small(budget, 1)
        budget.git("rm", "--quiet", "data/base.jsonl")
        done = budget.gate("baseline", "show")
        assert (done.returncode, done.stderr) == (0, "")
        assert anonymous(done.stdout) == snapshot
        budget.stage("d2b-gate.toml", BUDGET.replace('name = "sft"', 'name = "chat"'))
        assert anonymous(budget.gate("baseline", "show").stdout) == snapshot

    @pytest.mark.parametrize(
        ("arguments", "code", "sentence"),
        [
            (["create"], 2, f"{BASELINE}: there is a baseline already; run: d2b-gate baseline update"),
            (["update", "--ref", "nowhere"], 3, "git knows no commit 'nowhere'; "),
            (["update", "--accept", "animal-preference"], 2, "--accept and --reason belong together; "),
            (["update", "--reason", "because"], 2, "--accept and --reason belong together; "),
            (["update", "--accept", "animal-preference", "--reason", " "], 2, "--accept and --reason belong together"),
            (
                ["update", "--accept", "animal-preferense", "--reason", "because"],
                2,
                "no rule 'animal-preferense' has a budget_delta; did you mean 'animal-preference'?",
            ),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_mistakes(self, budget, arguments, code, sentence):
        text = (budget.root / BASELINE).read_text()
        done = budget.gate("baseline", *arguments)
        assert (done.returncode, done.stdout) == (code, "")
        assert said(done).startswith(sentence)
        assert (budget.root / BASELINE).read_text() == text

    @pytest.mark.parametrize("action", ["show", "update"])
    def test_2_without_a_baseline(self, world, action):
        done = world.gate("baseline", action)
        assert done.returncode == 2
        assert said(done) == f"there is no {BASELINE}; bless a commit with: d2b-gate baseline create"


class TestUpdate:
    def test_within_the_budget_another_commit_is_blessed(self, budget):
        head = drifted(budget, 2).git("rev-parse", "HEAD")
        done = budget.gate("baseline", "update", "--format", "concise")
        assert (done.returncode, done.stdout) == (0, "1 ok; exit 0\n")
        baseline = read_baseline((budget.root / BASELINE).read_text(), BASELINE)
        assert (baseline.commit, baseline.datasets[0].rows, baseline.accepted) == (head, 70, ())

    def test_without_changed_rows_no_model_is_asked(self, budget):
        budget.stage("README.md", "two\n")
        budget.commit()
        done = budget.gate("baseline", "update")
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (0, "", 1)

    def test_past_the_budget_it_is_refused_until_a_reason_is_given(self, budget, snapshot):
        drifted(budget, 8)
        text = (budget.root / BASELINE).read_text()
        done = budget.gate("baseline", "update")
        assert (done.returncode, (budget.root / BASELINE).read_text()) == (1, text)
        assert anonymous(done.stdout) == snapshot
        assert done.stderr.splitlines()[-1] == (
            f"d2b-gate: error: {BASELINE} stays as it is; take rows out, or bless it all the same with "
            "--accept animal-preference --reason TEXT"
        )
        agreed = budget.gate("baseline", "update", "--accept", "animal-preference", "--reason", "the zoo's own")
        assert agreed.returncode == 0
        baseline = read_baseline((budget.root / BASELINE).read_text(), BASELINE)
        assert [(one.rule, one.reason) for one in baseline.accepted] == [("animal-preference", "the zoo's own")]
        budget.git("add", BASELINE)
        budget.commit()
        small(budget, 9)
        assert result(budget)[1]["since_baseline"]["rows"] == {"added": 5, "removed": 0}

    def test_an_acceptance_that_nobody_needs_is_not_kept(self, budget):
        drifted(budget, 1)
        done = budget.gate("baseline", "update", "--accept", "animal-preference", "--reason", "in vain")
        assert done.returncode == 0
        assert "animal-preference is within its limit, so there was nothing to accept" in done.stderr
        assert "in vain" not in (budget.root / BASELINE).read_text()

    def test_a_dataset_that_is_read_otherwise_is_said_and_blessed_anew(self, budget):
        budget.stage("d2b-gate.toml", BUDGET.replace('include = ["data/*.jsonl"]', 'include = ["data/z*.jsonl"]'))
        done = budget.gate("baseline", "update")
        assert done.returncode == 0
        assert "'sft' is read otherwise since the last blessing" in done.stderr
        assert read_baseline((budget.root / BASELINE).read_text(), BASELINE).datasets[0].rows == 0


def test_git_merges_edits_of_different_records(budget):
    """Two branches, each of which accepts another rule by hand."""
    text = (budget.root / BASELINE).read_text()
    budget.git("checkout", "--quiet", "-b", "side")
    budget.stage(BASELINE, text.replace("{\n", '{\n"accept a": {"reason": "mine"},\n', 1))
    budget.commit()
    budget.git("checkout", "--quiet", "main")
    budget.stage(BASELINE, text.replace('"schema"', '"dataset zoo": {"rows": 0, "sha256": "0"},\n"schema"'))
    budget.commit()
    budget.git("merge", "--quiet", "-m", "both", "side")
    merged = read_baseline((budget.root / BASELINE).read_text(), BASELINE)
    assert ([one.rule for one in merged.accepted], len(merged.datasets)) == (["a"], 2)


@pytest.mark.skipif(shutil.which("bash") is None, reason="the session is one of a shell")
def test_the_session_of_the_guide_prints_what_the_guide_says(empty):
    code, came, told = run_session(empty, "policy/baseline.md")
    assert (code, came) == (0, told)
