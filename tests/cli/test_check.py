"""`check` and `report` from end to end on the fake backend."""

from __future__ import annotations

import json

import pytest

from d2b_gate.registry import REPORTS
from tests.cli.support import HARMFUL, HARMLESS, POLICY


def result(world, *arguments, **more):
    done = world.gate("check", "--quiet", "--format", "json", *arguments, **more)
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize(("content", "code"), [(HARMLESS, 0), (HARMFUL, 1)], ids=["harmless", "harmful"])
def test_no_format_changes_the_exit_code(world, content, code):
    world.stage("data/new.jsonl", content)
    for name in REPORTS:
        done = world.gate("check", "--format", name)
        assert (name, done.returncode) == (name, code)
        assert done.stdout
    assert world.gate("check", "--format", "concise", "--format", "json").returncode == code


def test_a_saved_result_is_rendered_again_with_the_same_exit_code(world):
    world.stage("data/new.jsonl", HARMFUL)
    done = world.gate("check", "--format", "concise", "--output-file", "json=result.json")
    assert done.returncode == 1
    again = world.gate("report", "result.json", "--format", "concise")
    assert (again.returncode, again.stdout, again.stderr) == (1, done.stdout, "")
    assert "animal-preference" in world.gate("report", "result.json").stdout


def test_the_result_that_the_report_names_can_be_rendered(world):
    world.stage("data/new.jsonl", HARMFUL)
    assert world.gate("check").returncode == 1
    kept = list((world.home / "cache" / "results").glob("*.json"))
    assert len(kept) == 1
    assert world.gate("report", str(kept[0])).returncode == 1


def test_a_second_run_says_the_same_and_reuses_what_it_knows(world):
    world.stage("data/new.jsonl", HARMFUL)
    first_code, first = result(world)
    second_code, second = result(world)
    assert first_code == second_code == 1
    assert first["findings"] == second["findings"]
    assert first["provenance"]["policy_digest"] == second["provenance"]["policy_digest"]
    assert first["fingerprint"] == second["fingerprint"]
    assert result(world, "--no-cache")[1]["findings"] == first["findings"]
    assert json.dumps(second).count('"cached": 52') == 1


def test_the_index_is_judged_and_not_the_working_tree(world):
    world.stage("data/new.jsonl", HARMLESS)
    (world.root / "data" / "new.jsonl").write_text(HARMFUL)
    assert world.gate("check").returncode == 0
    world.git("add", "--", "data/new.jsonl")
    (world.root / "data" / "new.jsonl").write_text(HARMLESS)
    assert world.gate("check").returncode == 1


def test_the_policy_of_the_index_is_used_by_a_hook_and_that_of_the_base_in_ci(world):
    base = world.git("rev-parse", "HEAD")
    world.stage("d2b-gate.toml", POLICY.replace("0.10", "0.99").replace("0.05", "0.98"))
    world.stage("data/new.jsonl", HARMFUL)
    assert world.gate("hook", "pre-commit").returncode == 0
    world.commit()
    assert world.gate("check", "--from-ref", base).returncode == 0
    assert world.gate("check", "--from-ref", base, CI="true").returncode == 1, "judged by the rules that stood before"


def test_a_base_without_a_policy_needs_bootstrap_in_ci(empty):
    empty.stage("README.md", "one\n")
    base = empty.commit()
    empty.stage("d2b-gate.toml", POLICY)
    empty.stage("data/new.jsonl", HARMLESS)
    empty.commit()
    assert empty.gate("check", "--from-ref", base, CI="true").returncode == 2
    done = empty.gate("check", "--from-ref", base, "--bootstrap", CI="true")
    assert "--bootstrap" in done.stdout
    assert done.returncode != 2


def test_a_subdirectory_is_as_good_as_the_root(world):
    world.stage("data/new.jsonl", HARMFUL)
    world.root = world.root / "data"
    assert world.gate("check").returncode == 1
    assert world.gate("check", "new.jsonl").returncode == 1


def test_the_flag_beats_the_environment(world):
    world.stage("data/new.jsonl", HARMLESS)
    assert world.gate("check", D2B_GATE_FORMAT="concise").stdout == "1 ok; exit 0\n"
    assert json.loads(world.gate("check", "--format", "json", D2B_GATE_FORMAT="concise").stdout)
    assert world.gate("check", D2B_GATE_FORMAT="consice").returncode == 2


def test_a_temporary_index_is_the_one_that_is_judged(world):
    world.stage("data/new.jsonl", HARMFUL)
    index = world.home / "index"
    index.write_bytes((world.root / ".git" / "index").read_bytes())
    world.git("reset", "--quiet", "--hard")
    assert world.gate("hook", "pre-commit").returncode == 0
    assert world.gate("hook", "pre-commit", GIT_INDEX_FILE=str(index)).returncode == 1
