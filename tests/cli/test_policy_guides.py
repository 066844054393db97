"""The sessions of the guides on policies print what the guides say."""

from __future__ import annotations

import shutil

import pytest

from d2b_gate.policy.waivers import read_waivers
from tests.cli.guides import blocks_of, dated, run_shell


def session_in(world, session):
    """What the session's commands print, each after its line, as the guide shows them."""
    commands = [line.removeprefix("$ ") for line in session.splitlines() if line.startswith("$ ")]
    echoed = "\n".join(f"cat <<'COMMAND'\n$ {command}\nCOMMAND\n{command}" for command in commands)
    done = run_shell(world, f"set +e\n{echoed}")  # the session shows commands that fail, too
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="the session is one of a shell")
def test_the_session_on_waivers(empty):
    _, _, policy, session = blocks_of(dated("policy/waivers.md"))
    (empty.root / "d2b-gate.toml").write_text(policy)
    assert session_in(empty, session) == session.lstrip("\n")


def test_the_file_of_the_guide_is_one():
    (waiver,) = read_waivers(blocks_of(dated("policy/waivers.md"))[0], ["animal-preference"])
    assert waiver.origin == "d2b-gate.waivers.toml:5"
