from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.support import BASE, POLICY, World

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def empty(tmp_path: Path) -> World:
    """A repository without a commit."""
    world = World(tmp_path / "repository", tmp_path)
    world.root.mkdir()
    world.git("init", "--quiet", "--initial-branch=main")
    return world


@pytest.fixture
def world(empty: World) -> World:
    """A repository with a policy for the fake backend, and one data file, committed."""
    empty.stage("d2b-gate.toml", POLICY)
    empty.stage("data/base.jsonl", BASE)
    empty.stage("README.md", "one\n")
    empty.commit()
    return empty
