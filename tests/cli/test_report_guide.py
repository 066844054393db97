"""The sessions of the guides on reports and on `explain` print what the guides say."""

from __future__ import annotations

import shutil

import pytest

from tests.cli.guides import blocks
from tests.cli.test_policy_guides import session_in


@pytest.mark.skipif(shutil.which("bash") is None, reason="the session is one of a shell")
def test_the_session_on_reports(empty):
    (policy,) = (block for block in blocks("reports.md") if "schema = 1" in block)
    (session,) = (block for block in blocks("reports.md") if block.lstrip("\n").startswith("$ "))
    (empty.root / "d2b-gate.toml").write_text(policy)
    assert session_in(empty, session) == session.lstrip("\n")


@pytest.mark.skipif(shutil.which("bash") is None, reason="the session is one of a shell")
def test_the_session_on_explaining(empty):
    """It goes on where the guide on reports has judged its change."""
    (policy,) = (block for block in blocks("reports.md") if "schema = 1" in block)
    (before,) = (block for block in blocks("reports.md") if block.lstrip("\n").startswith("$ "))
    (session,) = (block for block in blocks("explain-command.md") if block.lstrip("\n").startswith("$ "))
    (empty.root / "d2b-gate.toml").write_text(policy)
    judged = before.lstrip("\n")[: before.lstrip("\n").index("$ sed ")]
    assert session_in(empty, judged + session.lstrip("\n")) == judged + session.lstrip("\n")
