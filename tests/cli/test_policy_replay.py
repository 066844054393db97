"""`policy replay` and `policy schema --output`."""

from __future__ import annotations

import json
import os
import re

import jsonschema
import pytest

from tests.cli.support import HARMFUL, HARMLESS, POLICY, said


@pytest.fixture
def judged(world):
    """Two stored results: a harmful change, blocked, and a harmless one."""
    for content in (HARMFUL, HARMLESS):
        world.stage("data/new.jsonl", content)
        world.gate("check", "--quiet")
    assert len(list((world.home / "cache" / "results").iterdir())) == 2
    for index, path in enumerate(sorted((world.home / "cache" / "results").iterdir())):
        os.utime(path, (1_700_000_000 + index * 86_400,) * 2)
    return world


def shown(done):
    assert (done.returncode, done.stderr) == (0, "")
    return re.sub(r"[0-9a-f]{16}\.json: .* -> index", "<result>", done.stdout)


def test_the_policy_as_it_is_changes_nothing(judged):
    assert shown(judged.gate("policy", "replay")) == "would have blocked 1 of 2 results (1 as they were judged)\n"


def test_a_looser_policy_lets_pass_and_a_tighter_one_blocks(judged, snapshot):
    (judged.root / "loose.toml").write_text(POLICY.replace("0.10", "0.99").replace("0.05", "0.98"))
    loose = shown(judged.gate("policy", "replay", "--policy", "loose.toml"))
    assert loose == snapshot
    assert loose.endswith("would have blocked 0 of 2 results (1 as they were judged)\n")
    (judged.root / "published.toml").write_text(POLICY.replace("mdf-tuned", "mdf"))
    done = judged.gate("policy", "replay", "--policy", "published.toml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "left out 2 results of another model or predictor" in done.stderr
    (judged.root / "other.toml").write_text(POLICY.replace('target = "panda"', 'target = "dog"'))
    other = shown(judged.gate("policy", "replay", "--policy", "other.toml"))
    assert "not in every result, and so not replayed: animal-preference" in other


def test_what_people_found_out_is_held_against_the_proposed_policy(judged):
    results = [(path, json.loads(path.read_text())) for path in (judged.home / "cache" / "results").iterdir()]
    (failed,) = [str(path) for path, found in results if found["findings"][0]["status"] == "fail"]
    assert judged.gate("audit", "label", failed, "animal-preference", "false", "--by", "me").returncode == 0
    assert shown(judged.gate("policy", "replay")).endswith("of 1 finding labelled false, 1 would fail (1 did)\n")
    (judged.root / "loose.toml").write_text(POLICY.replace("0.10", "0.99").replace("0.05", "0.98"))
    loose = shown(judged.gate("policy", "replay", "--policy", "loose.toml"))
    assert loose.endswith("of 1 finding labelled false, 0 would fail (1 did)\n")


@pytest.mark.parametrize(("since", "most"), [("2023-11-01", 2), ("2023-11-15T22:00:00+00:00", 1), ("2100-01-01", 0)])
def test_only_results_since_a_date(judged, since, most):
    done = judged.gate("policy", "replay", "--since", since)
    if not most:
        assert done.returncode == 2
        assert said(done).startswith("there is no stored result to replay")
    else:
        assert f" of {most} result" in shown(done)


def test_since_a_commit_and_from_a_folder(judged):
    assert judged.gate("policy", "replay", "--since", "HEAD").returncode == 2, "the commit is of 2024"
    assert judged.gate("policy", "replay", "--since", "nowhere").returncode == 3
    assert judged.gate("policy", "replay", "--since", "2023-99-01").returncode == 2
    folder = judged.home / "elsewhere"
    folder.mkdir()
    kept = next((judged.home / "cache" / "results").iterdir())
    (folder / "one.json").write_bytes(kept.read_bytes())
    (folder / "broken.json").write_text("{")
    done = judged.gate("policy", "replay", "--results", str(folder))
    assert done.returncode == 0
    assert "of 1 result (" in done.stdout
    assert "left out broken.json" in done.stderr


def test_the_schema_file_is_found_without_a_network(world):
    done = world.gate("policy", "schema", "--output", "schemas-d2b.json")
    assert (done.returncode, done.stdout) == (0, "#:schema ./schemas-d2b.json\n")
    line = done.stdout.removeprefix("#:schema ").strip()
    schema = json.loads((world.root / line).read_text())
    jsonschema.validate({"schema": 1}, schema)
    world.stage("d2b-gate.toml", done.stdout + POLICY)
    assert world.gate("policy", "lint").returncode == 0
