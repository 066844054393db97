"""The session of the guide on quarantine prints what the guide says."""

from __future__ import annotations

import shutil

import pytest

from tests.cli.guides import blocks
from tests.cli.test_policy_guides import session_in


@pytest.mark.skipif(shutil.which("bash") is None, reason="the session is one of a shell")
def test_the_session_on_quarantine(empty):
    (policy,) = (block for block in blocks("quarantine.md") if "schema = 1" in block)
    (session,) = (block for block in blocks("quarantine.md") if block.lstrip("\n").startswith("$ "))
    (empty.root / "d2b-gate.toml").write_text(policy)
    assert session_in(empty, session) == session.lstrip("\n")
