"""Whole outputs of the policy's tools that no other snapshot holds."""

from __future__ import annotations

import re

import pytest

from tests.cli.support import POLICY


def anonymous(text):
    return re.sub(r"\b[0-9a-f]{7}\b|[0-9a-f]{12,}", "<hash>", text)


@pytest.mark.parametrize(
    "command",
    [
        "policy show --format toml",
        "policy show --format json",
        "policy schema",
        "policy lint --quiet",
        "baseline create",
        "waive list",
        "waive prune --dry-run",
        "audit list",
        "probe lint",
    ],
)
def test_a_command_prints(world, snapshot, command):
    done = world.gate(*command.split())
    assert f"exit {done.returncode}\n{anonymous(done.stdout)}{anonymous(done.stderr)}" == snapshot


def test_a_difference_as_json(world, snapshot):
    (world.root / "loose.toml").write_text(POLICY.replace("0.10", "0.50"))
    done = world.gate("policy", "diff", "d2b-gate.toml", "loose.toml", "--format", "json")
    assert (done.returncode, done.stdout) == (0, snapshot)


@pytest.mark.parametrize("kind", ["choice", "contrast"])
def test_a_new_probe_is_written(world, snapshot, kind):
    done = world.gate("probe", "new", "own/one", "--kind", kind)
    assert (done.returncode, done.stdout) == (0, "")
    assert (world.root / "probes/own/one.toml").read_text() == snapshot
