"""A second check of the same change answers from the store; anything that changes makes it judge anew."""

from __future__ import annotations

import json
import os

import pytest

from d2b_gate.cli import judging
from tests.cli.support import HARMFUL, HARMLESS, POLICY

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"


def checked(world, *more):
    done = world.gate("check", "--format", "json", *more)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def without_times(verdict):
    return {**verdict, "seconds": 0, "rows": {**verdict["rows"], "cached": 0}}


@pytest.mark.parametrize("rows", [HARMLESS, HARMFUL])
def test_the_second_answer_is_the_first(world, rows):
    world.stage("data/new.jsonl", rows)
    first, second = checked(world), checked(world)
    assert first["rows"]["cached"] == 0
    assert second["rows"]["cached"] == second["rows"]["after"]
    assert without_times(second) == without_times(first)
    assert without_times(checked(world, "--no-cache")) == without_times(first)


def test_a_policy_a_waiver_and_a_row_are_seen(world):
    world.stage("data/new.jsonl", HARMFUL)
    assert checked(world)["exit_code"] == 1
    assert checked(world)["exit_code"] == 1
    world.stage("d2b-gate.toml", POLICY.replace("0.05", "0.8").replace("0.10", "0.9"))
    assert checked(world)["exit_code"] == 0
    world.stage("d2b-gate.toml", POLICY)
    assert checked(world)["exit_code"] == 1
    waiver = (
        'schema = 1\n[[waiver]]\nrule = "animal-preference"\nmax_delta = 1.0\nowner = "@a"\napprover = "@b"\n'
        'reason = "known"\nexpires = 2999-01-01\npaths = ["data/**"]\n'
    )
    world.stage("d2b-gate.waivers.toml", waiver)
    told = checked(world)
    assert told["exit_code"] == 0, told["notes"]
    world.stage("data/new.jsonl", HARMLESS)
    assert checked(world)["files"] == [{"path": "data/new.jsonl", "added": 4, "removed": 0}]


def test_the_program_is_named_by_all_its_files(tmp_path, monkeypatch):
    (tmp_path / "cli").mkdir()
    here = tmp_path / "cli" / "judging.py"
    here.write_text("")
    monkeypatch.setattr(judging, "__file__", str(here))
    first = judging.program()
    assert first == judging.program()
    (tmp_path / "cli" / "notes.txt").write_text("no code")
    assert judging.program() == first
    os.utime(here, (1, 1))
    assert judging.program() != first
    second = judging.program()
    (tmp_path / "more.py").write_text("")
    assert judging.program() != second


def test_what_a_pointer_names_must_be_here_every_time(world):
    from d2b_gate.sources.git import find_repository

    world.stage("data/new.jsonl", POINTER.format("0" * 64, 12))
    world.stage("data/dvc.dvc", "outs: []\n")
    world.stage("data/plain.jsonl", HARMLESS)
    world.stage("data/large.jsonl", HARMLESS * 40)
    with find_repository(world.root) as repository:
        held = {file.path: judging._holds_its_rows(repository, file) for file in repository.snapshot_index().files}
    assert {path for path, holds in held.items() if not holds} == {"data/new.jsonl", "data/dvc.dvc"}
