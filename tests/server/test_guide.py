"""docs/serve.md names what there is, and all that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from d2b_gate.cli.arguments import make_parser
from d2b_gate.cli.serve_command import _LIMITS
from d2b_gate.core.remote import VERBS
from d2b_gate.server.metrics import Metrics
from d2b_gate.server.tokens import ENVIRONMENT, SHORTEST

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "serve.md").read_text()


def test_every_flag_that_it_names_is_one() -> None:
    commands = "".join(line for line in GUIDE.splitlines(keepends=True) if "check --backend" not in line)
    flags = set(re.findall(r"--[a-z][a-z-]*", commands))
    help_text = make_parser(("serve",))._subparsers._group_actions[0].choices["serve"].format_help()  # type: ignore[union-attr,index] # argparse has no public way
    assert flags <= set(re.findall(r"--[a-z][a-z-]*", help_text))


@pytest.mark.parametrize("limit", _LIMITS, ids=lambda limit: limit[0])
def test_every_limit_is_told_with_its_default(limit: tuple[str, object, str, str]) -> None:
    assert f"| `{limit[0]}` | {limit[2]} |" in GUIDE


def test_every_metric_is_told() -> None:
    names = re.findall(r"^# TYPE (\S+)", Metrics().text().decode(), re.MULTILINE)
    families = {name for name in names if not name.endswith("_created")}
    assert families <= set(re.findall(r"d2b_gate_[a-z_]+", GUIDE))
    assert set(re.findall(r"`(d2b_gate_[a-z_]+)", GUIDE)) <= families


def test_every_reason_is_told() -> None:
    sources = "".join(file.read_text() for file in (ROOT / "d2b_gate" / "server").glob("*.py"))
    reasons = set(re.findall(r'reason="([a-z-]+)"', sources)) | set(re.findall(r'note\(\s*"([a-z-]+)"', sources))
    told = set(re.findall(r"`([a-z-]+)`", GUIDE))
    assert len(reasons) > 15
    assert reasons <= told


def test_verbs_and_tokens_are_as_it_says() -> None:
    assert all(f"`{verb}`" in GUIDE for verb in VERBS)
    assert ENVIRONMENT in GUIDE
    assert f"at least {SHORTEST} characters" in GUIDE
