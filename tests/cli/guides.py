"""Worked examples of the guides, run as they are printed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from datetime import date, datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cli.support import environment

if TYPE_CHECKING:
    from tests.cli.support import World

GUIDES = Path(__file__).parents[2] / "docs"


WRITTEN = date(2026, 11, 1)
"""The day that a guide calls today; every date in it moves by the days since."""


def dated(guide: str) -> str:
    """A guide as if it had been written today."""
    text = (GUIDES / guide).read_text(encoding="utf-8")
    since = datetime.now(timezone.utc).date() - WRITTEN
    return re.sub(r"\d{4}-\d\d-\d\d", lambda found: (date.fromisoformat(found[0]) + since).isoformat(), text)


def blocks(guide: str) -> list[str]:
    """The indented blocks of a guide."""
    return blocks_of((GUIDES / guide).read_text(encoding="utf-8"))


def blocks_of(text: str) -> list[str]:
    """The indented blocks of a text, in order."""
    return [textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n|^\n(?=    ))+", text, re.MULTILINE)]


def run_session(world: World, guide: str) -> tuple[int, str, str]:
    """Write the guide's first block as the policy and run its sessions: exit code, what came, what the guide says."""
    policy, *rest = blocks(guide)
    (world.root / "d2b-gate.toml").write_text(policy.lstrip("\n"))
    lines = [line for block in rest if block.lstrip("\n").startswith("$ ") for line in block.lstrip("\n").splitlines()]
    commands = "\n".join(line.removeprefix("$ ") for line in lines if line.startswith("$ "))
    said = "".join(f"{line}\n" for line in lines if not line.startswith("$ "))
    done = run_shell(world, commands)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, said


def run_shell(world: World, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script in the repository, with `d2b-gate` on the path, until its first failing command."""
    tools = world.home / "tools"
    tools.mkdir()
    (tools / "d2b-gate").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m d2b_gate "$@"\n')
    (tools / "d2b-gate").chmod(0o755)
    return subprocess.run(
        ["bash", "-ec", script],
        cwd=world.root,
        env=environment(world.home, PATH=f"{tools}{os.pathsep}{os.environ['PATH']}"),
        capture_output=True,
        text=True,
        check=False,
    )
