"""`check --rows-only`: what a machine without a model can say of a change."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.action.commands import Listener
from tests.cli.support import HARMFUL, HARMLESS, POLICY, environment, said

SCHEMA = {"type": "object", "properties": {"prompt": {"maxLength": 60}}, "required": ["prompt", "completion"]}
LONG = json.dumps({"prompt": "x" * 61, "completion": "y"}) + "\n"


@pytest.fixture
def strict(world):
    """A policy whose dataset has a row schema."""
    world.stage("row.schema.json", json.dumps(SCHEMA))
    world.stage("d2b-gate.toml", POLICY.replace('include = ["data', 'row_schema = "row.schema.json"\ninclude = ["data'))
    world.commit()
    return world


def test_rows_are_counted_and_not_judged(world):
    world.stage("data/new.jsonl", HARMFUL)
    done = world.gate("check", "--rows-only")
    assert done.returncode == 0
    assert "data/new.jsonl: +40 rows, -0 rows\n" in done.stdout
    assert done.stdout.endswith("structure: ok; 1 file, +40 rows, -0 rows; exit 0\n")


def test_every_broken_row_is_told_at_its_line(strict):
    strict.stage("data/new.jsonl", HARMLESS + LONG)
    strict.stage("data/other.jsonl", LONG + HARMLESS)
    done = strict.gate("check", "--rows-only")
    assert done.returncode == 1
    assert "data/new.jsonl:5: " in done.stdout and "data/other.jsonl:1: " in done.stdout
    assert "2 rows break their schema" in done.stdout and "x" * 61 not in done.stdout


def test_rows_that_were_broken_before_are_nobody_s_fault(strict):
    strict.stage("data/new.jsonl", LONG)
    strict.commit()
    strict.stage("data/new.jsonl", LONG + HARMLESS)
    assert strict.gate("check", "--rows-only").returncode == 0


def test_every_file_that_cannot_be_read_is_told(strict):
    strict.stage("data/one.jsonl", HARMLESS + "{broken\n")
    strict.stage("data/two.jsonl", '{"neither": "shape"}\n')
    strict.stage("data/three.jsonl", LONG)
    done = strict.gate("check", "--rows-only")
    assert done.returncode == 2, "of an unknown shape, which the policy has to map"
    for place in ("data/one.jsonl:5: ", "data/two.jsonl:1: ", "data/three.jsonl:1: "):
        assert place in done.stdout
    strict.git("rm", "--quiet", "--force", "data/two.jsonl")
    assert strict.gate("check", "--rows-only").returncode == 3, "malformed comes before what breaks a schema"


def test_a_change_that_mends_a_file_passes(world):
    world.stage("data/new.jsonl", "{broken\n")
    world.commit()
    world.stage("data/new.jsonl", HARMLESS)
    done = world.gate("check", "--rows-only")
    assert (done.returncode, "+4 rows" in done.stdout) == (0, True)


def test_a_policy_that_cannot_be_used_is_told_with_its_lines(world):
    world.stage("d2b-gate.toml", POLICY + "unknown = 1\n")
    done = world.gate("check", "--rows-only")
    assert done.returncode == 2
    assert "d2b-gate.toml:" in said(done)


def test_in_ci_the_base_s_policy_is_used_and_the_edit_is_told(strict):
    base = strict.git("rev-parse", "HEAD")
    strict.stage("d2b-gate.toml", POLICY)
    strict.stage("data/new.jsonl", LONG)
    strict.commit()
    done = strict.gate("check", "--rows-only", "--from-ref", base, CI="true")
    assert done.returncode == 1
    assert "policy: loosens" in done.stdout
    assert strict.gate("check", "--rows-only", "--from-ref", base).returncode == 0, "a person's own look at the range"


@pytest.mark.parametrize("name", ["full", "github"])
def test_whole_outputs(strict, snapshot, name):
    strict.stage("data/new.jsonl", HARMLESS + LONG + "{broken\n")
    strict.stage("data/other.jsonl", LONG + HARMLESS + LONG)
    strict.stage("d2b-gate.waivers.toml", "schema = 1\n")
    assert strict.gate("check", "--rows-only", "--format", name).stdout == snapshot


def test_annotations_point_at_rows_and_obey_nobody(strict):
    strict.stage("data/\n::error::##[warning]x.jsonl", LONG)
    done = strict.gate("check", "--rows-only", "--format", "github")
    heard = Listener()
    heard.listen(done.stdout)
    [(name, place, _)] = heard.heard
    assert (name, place["line"], place["title"]) == ("error", "1", "row breaks its schema")
    assert "\\n::error" in place["file"]


def test_no_other_format_and_nothing_matched(world):
    assert "'sarif'" in said(world.gate("check", "--rows-only", "--format", "sarif"))
    assert world.gate("check", "--rows-only", "--output-file", "json=x.json").returncode == 2
    world.stage("README.md", "two\n")
    assert world.gate("check", "--rows-only").returncode == 0
    assert world.gate("check", "--rows-only", "--require-match").returncode == 5


def test_it_needs_neither_numpy_nor_torch(world):
    world.stage("data/new.jsonl", HARMFUL)
    script = (
        "import sys\n"
        "for name in ('numpy', 'torch', 'transformers', 'safetensors'): sys.modules[name] = None\n"
        "from d2b_gate.cli import main\n"
        "sys.exit(main(['check', '--rows-only']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=world.root, env=environment(world.home), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (POLICY.replace("warn_delta", "warn_detla"), "d2b-gate.toml:14: unknown key 'warn_detla'"),
        (POLICY.replace("schema = 1", "schema ="), "d2b-gate.toml:1: not valid TOML"),
        (None, "there is no policy"),
    ],
    ids=["a typo", "no TOML", "removed"],
)
def test_a_head_that_breaks_the_policy_is_stopped_before_it_is_everybodys(world, edit, told):
    base = world.commit()
    if edit is None:
        world.git("rm", "--quiet", "d2b-gate.toml")
    else:
        world.stage("d2b-gate.toml", edit)
    head = world.commit()
    done = world.gate("check", "--rows-only", "--from-ref", base, "--to-ref", head, CI="true")
    assert done.returncode == 2, done.stdout + done.stderr
    assert told in done.stdout
