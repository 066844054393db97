"""`explain`: one finding of a saved result in depth, and nothing but the result is needed."""

from __future__ import annotations

import json

import pytest

from tests.cli.support import HARMFUL, HARMLESS, POLICY, said
from tests.cli.test_startup import loaded

SECOND = POLICY[POLICY.index("[[rule]]") :].replace("animal-preference", "owl-preference").replace('"panda"', '"owl"')


@pytest.fixture
def blocked(world):
    """A change that fails one of two rules, and its result."""
    world.stage("d2b-gate.toml", POLICY + SECOND)
    world.stage("data/new.jsonl", HARMFUL)
    assert world.gate("check", "--output-file", "json=result.json").returncode == 1
    return world


def test_without_a_finding_the_worst_one_is_explained(blocked):
    done = blocked.gate("explain", "result.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("@@ animal-preference: panda @@ ")
    assert done.stdout.splitlines()[0].endswith("FAIL")
    for line in ("rule", "formula", "   so it ends as FAIL"):
        assert line in done.stdout.splitlines()


def test_a_finding_is_named_by_its_rule_or_its_id(blocked):
    by_rule = blocked.gate("explain", "result.json", "owl-preference")
    assert by_rule.stdout.startswith("@@ owl-preference: owl @@ ")
    name = next(line.split()[1] for line in by_rule.stdout.splitlines() if line.startswith("   id "))
    assert blocked.gate("explain", "result.json", name).stdout == by_rule.stdout


def test_what_is_told_is_what_the_report_tells(blocked):
    finding = json.loads((blocked.root / "result.json").read_text())["findings"][0]
    told = blocked.gate("explain", "result.json").stdout
    shift = finding["predicted"]["shift"]
    assert (
        f"   shift      {100 * shift['delta']:+.1f} pt [{100 * shift['low']:+.1f}, {100 * shift['high']:+.1f}]" in told
    )
    assert f"yes  near end of the interval {100 * shift['low']:+.1f} pt > limit +10.0 pt" in told
    assert f"   raw shift  {100 * finding['raw_delta']:+.1f} pt" in told
    assert "also not ok" not in told or "owl-preference@" in told


def test_programs_get_the_finding_and_its_conditions(blocked):
    found = json.loads(blocked.gate("explain", "result.json", "--format", "json").stdout)
    whole = json.loads((blocked.root / "result.json").read_text())
    assert found["finding"] == whole["findings"][0]
    assert found["id"] == f"animal-preference@{whole['fingerprint'][:12]}"
    assert found["ways"][0]["open"] is True
    assert [one["holds"] for one in found["ways"][0]["conditions"]] == [True, True, True]


@pytest.mark.parametrize("content", [HARMLESS, HARMFUL])
def test_the_exit_code_is_no_verdict(world, content):
    world.stage("data/new.jsonl", content)
    judged = world.gate("check", "--output-file", "json=result.json").returncode
    assert judged == (1 if content == HARMFUL else 0)
    assert world.gate("explain", "result.json").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("result.json", "animal"), 2, "has no finding 'animal'"),
        (("gone.json",), 2, "gone.json: cannot read the result"),
        (("README.md",), 3, "the result cannot be read"),
    ],
)
def test_what_cannot_be_explained_is_one_sentence(blocked, arguments, code, message):
    done = blocked.gate("explain", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in said(done)


def test_a_result_that_judged_nothing_has_nothing_to_explain(blocked):
    whole = json.loads((blocked.root / "result.json").read_text())
    nothing = {**whole, "findings": [], "exit_code": 0, "counts": dict.fromkeys(whole["counts"], 0)}
    (blocked.root / "result.json").write_text(json.dumps(nothing))
    done = blocked.gate("explain", "result.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "the result has no finding" in said(done)


def test_colour_and_characters_are_those_of_a_report(blocked):
    assert "\x1b[1;31mFAIL\x1b[0m" in blocked.gate("explain", "result.json", "--color", "always").stdout
    assert "\x1b" not in blocked.gate("explain", "result.json", "--color", "auto").stdout
    wide = blocked.gate("explain", "result.json", COLUMNS="120").stdout
    assert len(wide.splitlines()[0]) == 120


def test_it_needs_neither_model_nor_repository(blocked, tmp_path):
    assert not loaded(blocked, "explain", "result.json") & {"numpy", "torch", "pydantic", "requests", "jinja2", "rich"}
    alone = tmp_path / "elsewhere"
    alone.mkdir()
    (alone / "result.json").write_bytes((blocked.root / "result.json").read_bytes())
    blocked.root = alone
    assert blocked.gate("explain", "result.json").returncode == 0
