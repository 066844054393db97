"""The sessions of the guides on policies print what the guides say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from datetime import date, datetime, timezone
from pathlib import Path

import pytest

from d2b_gate.policy.waivers import read_waivers
from tests.cli.support import environment

GUIDES = Path(__file__).parents[2] / "docs" / "policy"
WRITTEN = date(2026, 11, 1)
"""The day that a guide calls today; every date in it moves by the days since."""


def guide(name):
    text = (GUIDES / name).read_text(encoding="utf-8")
    since = datetime.now(timezone.utc).date() - WRITTEN
    return re.sub(r"\d{4}-\d\d-\d\d", lambda found: (date.fromisoformat(found[0]) + since).isoformat(), text)


def blocks(text):
    """The indented blocks of a guide, in order."""
    return [textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n|^\n(?=    ))+", text, re.MULTILINE)]


def session_in(world, session, tools):
    """What the session's commands print, each after its line, as the guide shows them."""
    tools.mkdir()
    (tools / "d2b-gate").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m d2b_gate "$@"\n')
    (tools / "d2b-gate").chmod(0o755)
    commands = [line.removeprefix("$ ") for line in session.splitlines() if line.startswith("$ ")]
    script = "\n".join(f"cat <<'COMMAND'\n$ {command}\nCOMMAND\n{command}" for command in commands)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=world.root,
        env=environment(world.home, PATH=f"{tools}{os.pathsep}{os.environ['PATH']}"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="the session is one of a shell")
def test_the_session_on_waivers(empty, tmp_path):
    _, _, policy, session = blocks(guide("waivers.md"))
    (empty.root / "d2b-gate.toml").write_text(policy)
    assert session_in(empty, session, tmp_path / "tools") == session.lstrip("\n")


def test_the_file_of_the_guide_is_one():
    (waiver,) = read_waivers(blocks(guide("waivers.md"))[0], ["animal-preference"])
    assert waiver.origin == "d2b-gate.waivers.toml:5"
