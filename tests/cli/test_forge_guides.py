"""The sessions of the guides on comments and on receipts print what the guides say."""

from __future__ import annotations

import shlex
import shutil

import pytest

from tests.cli.guides import blocks
from tests.cli.support import World
from tests.cli.test_policy_guides import session_in
from tests.forge.runner import BLANK, HEAD, Job
from tests.forge.server import serving
from tests.reports.verdicts import FAILED, QUIET, verdict

needs_shell = pytest.mark.skipif(shutil.which("bash") is None, reason="the session is one of a shell")


@needs_shell
def test_the_session_on_comments(tmp_path):
    """What a runner sets is set before the session begins."""
    (session,) = (block for block in blocks("comment.md") if block.lstrip("\n").startswith("$ "))
    with serving() as github:
        github.pull(7, HEAD)
        job = Job(tmp_path, github)
        job.pull_request()
        job.result(verdict(FAILED, QUIET))
        job.result(verdict(QUIET), "clean.json")
        exports = "".join(f"$ export {name}={shlex.quote(value)}\n" for name, value in job.variables.items())
        said = session_in(World(tmp_path, tmp_path), exports + session.lstrip("\n"))
    assert said.removeprefix(exports) == session.lstrip("\n")


@needs_shell
@pytest.mark.skipif(shutil.which("openssl") is None, reason="the key of the session is made by openssl")
def test_the_session_on_receipts(empty):
    (policy,) = (block for block in blocks("receipts.md") if "schema = 1" in block)
    (session,) = (block for block in blocks("receipts.md") if block.lstrip("\n").startswith("$ "))
    (empty.root / "d2b-gate.toml").write_text(policy)
    blank = "".join(f"$ unset {name}\n" for name in BLANK)
    assert session_in(empty, blank + session.lstrip("\n")).removeprefix(blank) == session.lstrip("\n")
