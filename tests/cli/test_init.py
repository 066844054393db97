"""`init` in repositories of every kind."""

from __future__ import annotations

import sys

import pytest

from d2b_gate.cli.init_guess import guess_globs
from d2b_gate.cli.init_texts import policy_text, pre_commit_text
from d2b_gate.sources.globs import Globs
from tests.cli.support import POLICY, said

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def test_what_it_writes_can_be_used_at_once(empty):
    empty.stage("corpus/a.jsonl", "{}\n")
    done = empty.gate("init")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("wrote d2b-gate.toml; it judges corpus/**/*.jsonl\nwrote .pre-commit-config.yaml\n")
    for step in ("git add d2b-gate.toml .pre-commit-config.yaml", "d2b-gate model pull", "pre-commit install"):
        assert f"  {step}" in done.stdout
    empty.git("add", "-A")
    assert empty.gate("policy", "lint").stdout.startswith("d2b-gate.toml: ok, 11 rules and 1 dataset")


def test_an_empty_repository_gets_an_example(empty):
    done = empty.gate("init")
    assert done.returncode == 0
    assert "no tracked data file was found" in done.stdout
    assert 'include = ["data/**/*.jsonl"]' in (empty.root / "d2b-gate.toml").read_text()


def test_what_is_written(snapshot):
    assert policy_text(("data/**/*.jsonl", 'odd "name"/**/*.csv')) == snapshot
    assert pre_commit_text() == snapshot


def test_a_policy_is_replaced_only_by_force(world):
    done = world.gate("init")
    assert done.returncode == 2
    assert said(done) == "d2b-gate.toml: there is a policy already; edit it, or replace it with --force"
    assert (world.root / "d2b-gate.toml").read_text() == POLICY
    assert world.gate("init", "--force").returncode == 0
    assert "d2b:default" in (world.root / "d2b-gate.toml").read_text()


@pytest.mark.parametrize("force", [[], ["--force"]])
@pytest.mark.parametrize(
    ("path", "text"), [(".github/d2b-gate.toml", POLICY), ("pyproject.toml", "[tool.d2b-gate]\nschema = 1\n")]
)
def test_a_second_policy_is_never_written(empty, path, text, force):
    empty.stage(path, text)
    done = empty.gate("init", *force)
    assert done.returncode == 2
    assert said(done).startswith(f"{path}: there is a policy already")
    assert not (empty.root / "d2b-gate.toml").exists()


def test_a_pyproject_that_only_names_the_gate_is_no_policy(empty):
    empty.stage("pyproject.toml", '[project]\nname = "x"\ndependencies = ["d2b-gate"]\n')
    assert empty.gate("init").returncode == 0


def test_a_pre_commit_configuration_is_left_alone(empty):
    mine = "# mine\nrepos: []\n"
    empty.stage(".pre-commit-config.yaml", mine)
    done = empty.gate("init")
    assert (empty.root / ".pre-commit-config.yaml").read_text() == mine
    assert "add this under its 'repos:'\n\n  - repo: " in done.stdout
    empty.stage(".pre-commit-config.yaml", pre_commit_text())
    assert "left alone\n" in empty.gate("init", "--force").stdout


def test_outside_a_repository_nothing_is_written(tmp_path, empty):
    empty.root = tmp_path / "outside"
    empty.root.mkdir()
    assert empty.gate("init", GIT_CEILING_DIRECTORIES=str(tmp_path)).returncode == 2
    assert list(empty.root.iterdir()) == []


@pytest.mark.parametrize(
    ("paths", "globs"),
    [
        (["data/a.jsonl", "data/deep/b.jsonl", "README.md"], ("data/**/*.jsonl",)),
        (["a.csv", "data/b.parquet", "data/c.tsv"], ("*.csv", "data/**/*.parquet", "data/**/*.tsv")),
        (["data/a.jsonl.gz", "data/b.jsonl.zst"], ("data/**/*.jsonl.gz", "data/**/*.jsonl.zst")),
        (["data/a.jsonl.dvc"], ("data/**/*.jsonl",)),
        (["tests/data/a.jsonl", "docs/table.csv", "package.json", "notes.txt"], ()),
        (["odd[1]*/a.jsonl"], ("odd[[]1][*]/**/*.jsonl",)),
        (["bad\x1b/a.jsonl"], ()),
    ],
)
def test_guesses(paths, globs):
    assert guess_globs(paths) == globs


def test_a_guess_matches_the_files_it_was_made_from():
    paths = ["a.csv", "data/x.jsonl", "data/deep/y.jsonl.gz", "odd[1]*/a.tsv", 'quo"te/a.parquet', "ünï/a.ndjson"]
    table = tomllib.loads(policy_text(guess_globs(paths)))
    assert all(Globs(tuple(table["dataset"][0]["include"])).matches(path) for path in paths)
