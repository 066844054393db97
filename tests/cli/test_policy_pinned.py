"""`extends` of a commit of the repository."""

from __future__ import annotations

import pytest

from tests.cli.support import POLICY, said

TEAM = """\
schema = 1
[[rule]]
id = "animal-preference"
probe = "bias/animals"
target = "panda"
fail_delta = 0.2
locked = true
"""


def extending(name):
    return POLICY.replace("schema = 1", f'schema = 1\nextends = ["{name}"]')


@pytest.fixture
def pinned(world):
    """The name of a policy that was committed, and is gone since."""
    world.stage("policies/team.toml", TEAM)
    commit = world.commit()
    world.git("rm", "--quiet", "policies/team.toml")
    return f"git+{commit}:policies/team.toml"


@pytest.mark.parametrize("state", [(), ("--worktree",)])
def test_a_pinned_file_is_read_from_its_commit(world, pinned, state):
    world.stage("d2b-gate.toml", extending(pinned))
    done = world.gate("policy", "show", "--origin", *state)
    assert done.returncode == 0, done.stderr
    commit = pinned[4:16]
    assert f"policies/team.toml@{commit}:7" in done.stdout
    world.stage("d2b-gate.toml", extending(pinned).replace("0.10", "0.30"))
    done = world.gate("policy", "lint", *state)
    assert done.returncode == 2
    locked = f"rule 'animal-preference' is locked by policies/team.toml@{commit}:7"
    assert f"d2b-gate.toml:16: {locked}: 'fail_delta' may not grow from 0.2 to 0.3" in done.stdout


@pytest.mark.parametrize("name", ["git+main:policies/team.toml", "git+0123abc:policies/team.toml", "policies/team@v1"])
def test_what_moves_is_refused(world, name):
    world.stage("d2b-gate.toml", extending(name))
    done = world.gate("policy", "lint")
    assert done.returncode == 2
    assert done.stdout.startswith(f"d2b-gate.toml:2: {name!r} is not pinned: branches and tags move; name a commit")


def test_a_commit_that_is_not_here_and_a_file_that_is_not_in_it(world, pinned):
    world.stage("d2b-gate.toml", extending(f"git+{'0' * 39}1:policies/team.toml"))
    done = world.gate("policy", "lint")
    assert done.returncode == 3
    assert said(done).startswith("git knows no commit")
    world.stage("d2b-gate.toml", extending(pinned.replace("team", "other")))
    done = world.gate("policy", "lint")
    assert done.returncode == 2
    assert "there is no such file" in done.stdout


def test_a_pinned_file_extends_what_is_pinned_only(world):
    world.stage("policies/team.toml", TEAM.replace("schema = 1", 'schema = 1\nextends = ["base.toml"]'))
    name = f"git+{world.commit()}:policies/team.toml"
    world.stage("base.toml", "schema = 1\n")
    world.stage("d2b-gate.toml", extending(name))
    done = world.gate("policy", "lint")
    assert done.returncode == 2
    assert "a pinned policy cannot extend 'base.toml', which is not pinned" in done.stdout
