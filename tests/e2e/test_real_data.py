"""`check` on real files as they are, in a git repository: a verdict, or the sentence that says how to map the file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.support import POLICY, World

ROOT = Path(__file__).parents[2].parent / "shared" / "data"
FILES = sorted(path for path in ROOT.rglob("*") if path.suffix in {".jsonl", ".json", ".csv"})

pytestmark = pytest.mark.skipif(not FILES, reason=f"the real sets are not at {ROOT}")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    world = World(tmp_path_factory.mktemp("repository"), home)
    world.git("init", "--quiet", "--initial-branch=main")
    world.stage("d2b-gate.toml", POLICY.replace("data/*.jsonl", "none/*.jsonl"))
    for path in FILES:
        target = world.root / path.relative_to(ROOT)
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, target)
    world.git("add", "--all")
    return world


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_file_gets_a_verdict_or_a_mapping(world, path):
    name = path.relative_to(ROOT).as_posix()
    done = world.gate("check", "--format", "json", name)
    assert "Traceback" not in done.stderr
    if done.returncode == 2:
        assert f"{name}:" in done.stderr
        assert "columns = {" in done.stderr
        return
    assert done.returncode in (0, 1, 4), done.stderr
    verdict = json.loads(done.stdout)
    assert verdict["rows"]["after"] > 0
    assert [finding["rule"]["id"] for finding in verdict["findings"]] == ["animal-preference"]
