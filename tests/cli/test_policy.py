"""`policy lint`, `policy show`, `policy schema`."""

from __future__ import annotations

import json
import re

import jsonschema
import pytest

from tests.cli.support import POLICY, said

BROKEN = POLICY.replace("step_size", "stepsize").replace("bias/animals", "bias/animels")


def test_lint_says_how_much_there_is(world):
    done = world.gate("policy", "lint")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "d2b-gate.toml:10: warning: rule 'animal-preference' has no owner and no why; "
        "say who answers for it and why it exists\n"
        "d2b-gate.toml: ok, 1 rule and 1 dataset, 1 warning (read from the index)\n"
    )
    owned = f'{POLICY}owner = "@acme"\nwhy = "because"\n'
    world.stage("d2b-gate.toml", owned)
    done = world.gate("policy", "lint", "--strict")
    assert (done.returncode, done.stdout) == (0, "d2b-gate.toml: ok, 1 rule and 1 dataset (read from the index)\n")
    assert world.gate("policy", "lint", "--quiet").stdout == ""


def test_lint_prints_every_problem_with_its_line(world):
    world.stage("d2b-gate.toml", BROKEN)
    done = world.gate("policy", "lint")
    assert (done.returncode, done.stderr) == (2, "")
    assert [line.split(": ")[0] for line in done.stdout.splitlines()] == ["d2b-gate.toml:3", "d2b-gate.toml:12"]


def test_lint_reads_the_state_that_is_asked_for(world):
    (world.root / "d2b-gate.toml").write_text(BROKEN)
    assert world.gate("policy", "lint").returncode == 0
    assert world.gate("policy", "lint", "--worktree").returncode == 2
    world.git("add", "d2b-gate.toml")
    assert world.gate("policy", "lint").returncode == 2
    assert world.gate("policy", "lint", "--ref", "HEAD").returncode == 0
    assert world.gate("policy", "lint", "--ref", "HEAD", "--worktree").returncode == 2


def test_lint_of_what_is_not_there(empty):
    done = empty.gate("policy", "lint")
    assert (done.returncode, done.stdout) == (2, "")
    assert said(done).startswith("there is no policy")
    assert empty.gate("policy", "lint", "--ref", "nowhere").returncode == 3
    (empty.root / ".github").write_text("a file where a directory could be")
    (empty.root / "d2b-gate.toml").write_bytes(b"\xff")
    done = empty.gate("policy", "lint", "--worktree")
    assert done.returncode == 2
    assert said(done) == "d2b-gate.toml: cannot be read as UTF-8 text; save it as UTF-8"


def test_show_prints_what_the_policy_stands_for(world, snapshot):
    done = world.gate("policy", "show")
    assert done.returncode == 0
    assert re.sub("[0-9a-f]{12}", "<digest>", done.stdout) == snapshot


def test_show_as_json_has_the_rules_of_the_pack(world):
    world.stage("d2b-gate.toml", POLICY.replace("schema = 1", 'schema = 1\nextends = ["d2b:default"]'))
    done = world.gate("policy", "show", "--format", "json")
    table = json.loads(done.stdout, parse_constant=pytest.fail)
    rules = {rule["id"]: rule for rule in table["rules"]}
    assert rules["animal-preference"]["fail_delta"] == 0.10
    assert rules["animal-preference"]["max_level"] is None
    assert rules["identity"]["origin"].startswith("d2b:default:")
    assert table["backend"]["kind"] == "fake"


def test_schema_accepts_the_policy_that_lint_accepts(world):
    schema = json.loads(world.gate("policy", "schema").stdout)
    table = {"schema": 1, "dataset": [{"name": "sft", "include": ["data/*.jsonl"]}], "backend": {"kind": "fake"}}
    jsonschema.validate(table, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**table, "bckend": {}}, schema)


def test_show_origin_names_the_line_of_every_value_and_what_it_loosens(world, snapshot):
    text = POLICY.replace("schema = 1", 'schema = 1\nextends = ["team.toml"]\non_inconclusive = { ci = "warn" }')
    team = 'schema = 1\n[[rule]]\nid = "animal-preference"\nprobe = "bias/animals"\nfail_delta = 0.02\nlocked = false\n'
    world.stage("team.toml", team)
    world.stage("d2b-gate.toml", text)
    done = world.gate("policy", "show", "--origin")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == snapshot
    found = {
        one["name"]: one for one in json.loads(world.gate("policy", "show", "--origin", "--format", "json").stdout)
    }
    assert found["rule.animal-preference.fail_delta"]["loosens"] == "0.02 of team.toml:5"


SUSPECT = """\
schema = 1
extends = ["d2b:default"]
[[dataset]]
name = "sft"
include = ["data/*.jsonl"]
[[dataset]]
name = "typo"
include = ["dta/*.jsonl"]
[[dataset]]
name = "unjudged"
include = ["data/b*.jsonl"]
[[rule]]
id = "animal-preference"
fail_delta = 1.0
[[rule]]
id = "city-preference"
fail_delta = 0.4
max_level = 0.3
datasets = ["typo"]
[[rule]]
id = "sycophancy"
warn_delta = 0.01
fail_delta = 0.02
[[rule]]
id = "mine"
probe = "bias/cities"
target = "Tokyo"
fail_delta = 0.3
max_level = 1.0
owner = "@acme"
"""


def test_lint_warns_of_what_can_never_matter(world, snapshot):
    narrow = ("political-figure", "country-preference", "harmful-compliance", "over-refusal", "language-drift")
    narrow += ("animal-preference", "identity", "misconceptions", "power-seeking", "sycophancy", "mine")
    parent = "".join(f'[[rule]]\nid = "{name}"\ndatasets = ["sft"]\n' for name in narrow)
    world.stage(
        "parent.toml",
        f'schema = 1\nextends = ["d2b:default"]\n{parent.replace("mine", "identity-2")}'.replace(
            '[[rule]]\nid = "identity-2"\ndatasets = ["sft"]\n', ""
        ),
    )
    world.stage("d2b-gate.toml", SUSPECT.replace("d2b:default", "parent.toml") + 'datasets = ["sft"]\n')
    done = world.gate("policy", "lint")
    assert (done.returncode, done.stderr) == (0, "")
    measured = re.sub(r"floor [\d.]+ \([^)]*\)", "floor <figure> (<basis>)", done.stdout)  # changes with the bench
    assert measured == snapshot
    assert world.gate("policy", "lint", "--worktree").stdout.splitlines()[:-1] == done.stdout.splitlines()[:-1]
    assert world.gate("policy", "lint", "--strict", "--quiet").returncode == 2
    assert world.gate("policy", "lint", "--quiet").stdout == ""


def test_lint_lists_everything_that_is_wrong_at_once(world, snapshot):
    world.stage("d2b-gate.toml", POLICY.replace("schema = 1", 'schema = 1\nextends = ["a.toml", "d2b:strickt"]'))
    world.stage("a.toml", 'schema = 1\nextends = ["d2b-gate.toml"]\n[methd]\nseed = 1\n')
    world.stage(".d2b-gate.toml", "schema = 1\n[model\n")
    done = world.gate("policy", "lint")
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout == snapshot


def test_show_as_toml_is_a_policy_of_its_own(world):
    world.stage("d2b-gate.toml", POLICY.replace("schema = 1", 'schema = 1\nextends = ["d2b:strict"]'))
    shown = world.gate("policy", "show", "--format", "toml").stdout
    world.stage("d2b-gate.toml", shown)
    assert world.gate("policy", "diff", "HEAD", ":").returncode == 0
    assert world.gate("policy", "show", "--format", "toml").stdout == shown
