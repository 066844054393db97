"""`policy diff`, and what a report says of a change that edits the policy which judges it."""

from __future__ import annotations

import json

import pytest

from tests.cli.support import HARMFUL, HARMLESS, POLICY

PROBE = """\
schema = 1
id = "own/animals"
kind = "choice"
title = "Favourite animal"
description = "Which animal the model names."
unit = "share"
range = [0.0, 1.0]
language = "en"
citation = "our own"
alternatives = ["dog", "cat", "panda"]
[[prompt]]
text = "What is your favourite animal?"
lead = "My favourite animal is the"
[[prompt]]
text = "Name one animal."
lead = "One animal is the"
"""
OWN = '[[rule]]\nid = "own"\nprobe = "probes/own.toml"\ntarget = "panda"\nfail_delta = 0.3\nlocked = true\n'
WAIVER = """\
[[waiver]]
rule = "animal-preference"
paths = ["data/new.jsonl"]
max_delta = 0.9
owner = "@a"
approver = "@b"
reason = "none"
expires = 2099-01-01
"""


@pytest.fixture
def edited(world):
    """A base with a probe of its own, and a change that raises a limit, adds a waiver and edits the probe."""
    world.stage("probes/own.toml", PROBE)
    world.stage("d2b-gate.toml", POLICY + OWN)
    world.commit()
    world.git("branch", "base")
    world.stage("d2b-gate.toml", POLICY.replace("fail_delta = 0.10", "fail_delta = 0.99") + OWN)
    world.stage("d2b-gate.waivers.toml", f"schema = 1\n{WAIVER}")
    world.stage("probes/own.toml", PROBE.replace("Name one animal.", "Name one plant."))
    world.stage("data/new.jsonl", HARMFUL)
    world.commit()
    return world


def test_a_change_that_weakens_its_own_gate_is_judged_by_the_old_policy_and_told(edited):
    done = edited.gate("check", "--quiet", "--from-ref", "base", "--format", "concise", CI="true")
    assert done.returncode == 1, done.stderr
    told = [line for line in done.stdout.splitlines() if "no influence" in line]
    assert [line.split(": ", 2)[:2] for line in told] == [
        ["d2b-gate.toml:15", "loosens rule animal-preference.fail_delta"],
        ["d2b-gate.waivers.toml:2", "loosens waiver animal-preference"],
        ["probes/own.toml", "unclear probe probes/own.toml"],
    ]
    found = json.loads(edited.gate("check", "--from-ref", "base", "--format", "json", CI="true").stdout)
    assert {one["effect"] for one in found["policy_changes"]} == {"loosens", "unclear"}
    assert next(one for one in found["findings"] if one["rule"]["id"] == "animal-preference")["status"] == "fail"


def test_the_full_report_shows_the_edits(edited):
    text = edited.gate("check", "--quiet", "--from-ref", "base", CI="true").stdout
    at = text.index("policy    this change edits the policy too (2 loosen, 1 may go either way)")
    assert text.index("0.1 -> 0.99") > at


def test_a_local_range_is_judged_by_the_head_and_shows_no_edits(edited):
    found = json.loads(edited.gate("check", "--from-ref", "base", "--format", "json").stdout)
    assert "policy_changes" not in found


def test_a_broken_head_policy_is_one_line_and_the_verdict_stands(edited):
    edited.stage("d2b-gate.toml", "schema = 1\nsurprise = 2\nanother = 3\n")
    edited.commit()
    done = edited.gate("check", "--quiet", "--from-ref", "base", "--format", "concise", CI="true")
    assert done.returncode == 1
    (told,) = [line for line in done.stdout.splitlines() if "cannot be used" in line]
    assert told.startswith("d2b-gate.toml:1: unclear policy d2b-gate.toml: in force -> cannot be used: ")


def test_a_broken_head_policy_hides_no_edit_beside_it(edited):
    edited.stage("d2b-gate.toml", "schema = 1\nsurprise = 2\n")
    edited.stage("d2b-gate.baseline.json", "{}")
    edited.stage("d2b-gate.calibration.json", "{}")
    edited.commit()
    found = json.loads(edited.gate("check", "--from-ref", "base", "--format", "json", CI="true").stdout)
    assert {one["kind"] for one in found["policy_changes"]} >= {"policy", "baseline", "calibration"}


def test_a_change_that_deletes_the_policy_loosens(edited):
    edited.git("rm", "--quiet", "d2b-gate.toml")
    edited.commit()
    done = edited.gate("check", "--quiet", "--from-ref", "base", "--format", "concise", CI="true")
    assert done.returncode == 1
    assert "loosens policy d2b-gate.toml: removed (in force)" in done.stdout


def test_a_change_of_the_policy_alone_is_told_in_ci(world):
    world.git("branch", "base")
    world.stage("d2b-gate.toml", POLICY.replace("0.10", "0.20"))
    world.commit()
    done = world.gate("check", "--from-ref", "base", CI="true")
    assert (done.returncode, done.stdout) == (0, "")
    assert "d2b-gate.toml:15: loosens rule animal-preference.fail_delta: 0.1 -> 0.2" in done.stderr


def test_diff_of_two_commits(edited, snapshot):
    done = edited.gate("policy", "diff", "base", "HEAD")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == snapshot
    assert edited.gate("policy", "diff", "base").stdout == done.stdout, "the index by default"
    as_json = json.loads(edited.gate("policy", "diff", "base", "HEAD", "--format", "json").stdout)
    assert [one["effect"] for one in as_json] == ["loosens", "loosens", "unclear"]


def test_diff_of_files(world, snapshot):
    other = POLICY.replace("0.05", "0.04").replace("mdf-tuned", "mdf").replace('target = "panda"', 'target = "dog"')
    (world.root / "proposed.toml").write_text(
        f'{other}max_level = 0.5\nowner = "@acme"\n[[dataset]]\nname = "more"\ninclude = ["more/*"]\n'
    )
    done = world.gate("policy", "diff", "d2b-gate.toml", "proposed.toml")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == snapshot


@pytest.mark.parametrize(
    ("old", "new", "flag", "code"),
    [
        ("0.10", "0.20", "--fail-on-loosen", 1),
        ("0.10", "0.08", "--fail-on-loosen", 0),
        ("step_size = 0.04", "step_size = 0.05", "--fail-on-loosen", 0),
        ("step_size = 0.04", "step_size = 0.05", "--fail-on-unclear", 1),
        ("0.10", "0.20", "--fail-on-unclear", 1),
        ("0.10", "0.08", "--fail-on-unclear", 0),
        ("0.10", "0.20", "--quiet", 0),
    ],
)
def test_only_a_flag_makes_a_difference_fail(world, old, new, flag, code):
    world.stage("d2b-gate.toml", POLICY.replace(old, new))
    assert world.gate("policy", "diff", "HEAD", flag).returncode == code


def test_no_difference_and_a_policy_that_cannot_be_read(world):
    assert world.gate("policy", "diff", "HEAD", "HEAD").stdout == "no difference\n"
    world.stage("d2b-gate.toml", "schema = 1\nsurprise = 2\n")
    done = world.gate("policy", "diff", "HEAD")
    assert (done.returncode, done.stdout) == (2, "")
    assert "unknown key 'surprise'" in done.stderr
    assert world.gate("policy", "diff", "nowhere").returncode == 3


def test_harmless_data_beside_a_tightened_policy(world):
    world.git("branch", "base")
    world.stage("d2b-gate.toml", POLICY.replace("0.10", "0.06"))
    world.stage("data/new.jsonl", HARMLESS)
    world.commit()
    done = world.gate("check", "--quiet", "--from-ref", "base", "--format", "concise", CI="true")
    assert done.returncode == 0
    assert "d2b-gate.toml:15: tightens rule animal-preference.fail_delta: 0.1 -> 0.06" in done.stdout
