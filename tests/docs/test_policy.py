"""The worked examples of docs/policy.md do what the page says."""

from __future__ import annotations

import re
import shlex
import sys

import pytest

from tests.cli.conftest import empty
from tests.cli.guides import dated

__all__ = ["empty"]
FENCE = re.compile(r"^```(\S+)(?: file=(\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def execute(world, line):
    """Run one command line; a pipe into grep is the only piece of a shell that is understood."""
    command, _, pattern = line.partition(" | grep ")
    name, *arguments = shlex.split(command)
    if name == "git":
        return world.git(*arguments)
    assert name == "d2b-gate", line
    done = world.gate(*arguments)
    text = done.stdout + "".join(line for line in done.stderr.splitlines(keepends=True) if "runs no model" not in line)
    if pattern:
        text = "".join(f"{found}\n" for found in text.splitlines() if pattern in found)
    return text + (f"(exit {done.returncode})\n" if done.returncode else "")


@pytest.mark.skipif(sys.platform == "win32", reason="the page shows paths with forward slashes")
@pytest.mark.parametrize("page", ["policy.md"])
def test_the_examples_do_what_the_page_says(empty, page):
    executed = 0
    for kind, file, content in FENCE.findall(dated(page)):
        if file:
            empty.stage(file, content)
        elif kind == "console":
            command, _, wanted = content.removeprefix("$ ").partition("\n")
            assert execute(empty, command) == wanted
            executed += 1
    assert executed >= 20
