"""Every exit code of the contract, and every error as one sentence: what, where, what to do."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest

from tests.cli.support import HARMFUL, HARMLESS, POLICY, World, said

UNKNOWN_KEY = POLICY.replace('include = ["data/*.jsonl"]', 'include = ["data/*.jsonl"]\nincldue = []')
UNKNOWN_PROBE = POLICY.replace("bias/animals", "bias/animels")


def test_0_where_no_data_changed(world):
    world.stage("README.md", "two\n")
    done = world.gate("check")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "d2b-gate: no training data of d2b-gate.toml changed; nothing to judge\n"
    assert world.gate("check", "--quiet").stderr == ""


def test_0_for_a_harmless_change(world):
    world.stage("data/new.jsonl", HARMLESS)
    done = world.gate("check", "--format", "concise")
    assert (done.returncode, done.stdout) == (0, "1 ok; exit 0\n")


@pytest.mark.parametrize(
    "command", [("check",), ("hook", "pre-commit"), ("check", "--all"), ("check", "data/new.jsonl")]
)
def test_1_for_a_harmful_change(world, command):
    world.stage("data/new.jsonl", HARMFUL)
    done = world.gate(*command)
    assert done.returncode == 1
    assert "animal-preference" in done.stdout
    assert "Traceback" not in done.stderr


def test_1_for_a_pushed_range(world):
    base = world.git("rev-parse", "HEAD")
    world.stage("data/new.jsonl", HARMFUL)
    head = world.commit()
    done = world.gate("hook", "pre-push", PRE_COMMIT_FROM_REF=base, PRE_COMMIT_TO_REF=head)
    assert done.returncode == 1
    assert f"{base[:7]} -> {head[:7]}" in done.stdout
    assert world.gate("check", "--from-ref", base).returncode == 1
    assert world.gate("check", "--from-ref", head).returncode == 0


def test_4_where_an_inconclusive_rule_blocks(world):
    """A limit between the predicted shift and the far end of its interval is neither broken nor kept."""
    hurried = POLICY.replace("[backend]", "[budget]\nseconds = 0.001\n[backend]")  # no time to look twice
    world.stage("d2b-gate.toml", hurried)
    world.stage("data/new.jsonl", HARMFUL)
    shift = json.loads(world.gate("check", "--format", "json").stdout)["findings"][0]["predicted"]["shift"]
    limit = (shift["delta"] + shift["high"]) / 2
    nearly = re.sub(r"_delta = .*", f"_delta = {limit}", hurried)
    world.stage("d2b-gate.toml", nearly)
    assert world.gate("check").returncode == 0, "a local hook warns by default"
    assert world.gate("check", CI="true").returncode == 4
    world.stage("d2b-gate.toml", nearly.replace("[backend]", '[on_inconclusive]\nhook = "fail"\n[backend]'))
    assert world.gate("check").returncode == 4


def test_5_where_nothing_matches_and_something_must(world):
    world.stage("README.md", "two\n")
    done = world.gate("check", "--require-match")
    assert done.returncode == 5
    assert said(done).startswith("no training data of d2b-gate.toml changed; ")


def test_2_outside_a_repository(tmp_path):
    outside = World(tmp_path, tmp_path)
    done = outside.gate("check", GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
    assert done.returncode == 2
    assert "no usable git repository" in said(done)


def test_2_without_a_policy(empty):
    done = empty.gate("check")
    assert done.returncode == 2
    assert said(done).startswith("there is no policy (d2b-gate.toml, ")
    assert "d2b-gate init" in said(done)


def test_2_for_two_policies(world):
    world.stage(".d2b-gate.toml", POLICY)
    done = world.gate("hook", "pre-commit")
    assert done.returncode == 2
    assert said(done).startswith("there is more than one policy: d2b-gate.toml and .d2b-gate.toml; ")


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        (UNKNOWN_KEY, "d2b-gate.toml:10: unknown key 'incldue' in [[dataset]]; did you mean 'include'?"),
        (UNKNOWN_PROBE, "d2b-gate.toml:12: unknown probe 'bias/animels'; did you mean 'bias/animals'?"),
        (
            POLICY.replace('"fake"', '"ray"\nurl = "ray://box:10001"'),
            "the policy names the ray cluster ray://box:10001",
        ),
        ("schema = 1\n[[dataset", "d2b-gate.toml:2: not valid TOML: "),
        ("schema = 1\n", "d2b-gate.toml:1: the policy has no [[dataset]]"),
    ],
    ids=["unknown key", "unknown probe", "a cluster of nobody's", "no TOML", "nothing judged"],
)
def test_2_for_a_policy_that_cannot_be_used(world, policy, sentence):
    world.stage("d2b-gate.toml", policy)
    world.stage("data/new.jsonl", HARMLESS)
    done = world.gate("check")
    assert done.returncode == 2
    assert said(done).startswith(sentence)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["check", "--staged", "--all"], "--staged, --from-ref/--to-ref, --all and PATHS exclude each other; "),
        (["check", "--all", "data/base.jsonl"], "--staged, --from-ref/--to-ref, --all and PATHS exclude each other; "),
        (["check", "--to-ref", "HEAD"], "--to-ref needs --from-ref; "),
        (["check", "--format", "jsn"], "there is no report 'jsn'; did you mean 'json'?"),
        (["check", "--output-file", "result.json"], "--output-file 'result.json' is not FORMAT=PATH; "),
        (["check", "--output-file", "json=none/result.json"], "cannot write 'none/result.json'; "),
        (["check", "data/none.jsonl"], "data/none.jsonl: is not in the index; "),
        (["report", "none.json"], "none.json: cannot read the result: "),
        (["model", "pull", "smollm2-135n"], "no built-in model is called 'smollm2-135n'; did you mean"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_2_for_a_mistake_on_the_command_line(world, arguments, sentence):
    world.stage("data/new.jsonl", HARMLESS)
    done = world.gate(*arguments)
    assert done.returncode == 2
    assert said(done).startswith(sentence)


@pytest.mark.parametrize(
    "arguments", [[], ["chek"], ["check", "--bogus"], ["policy"], ["cache", "gc", "--max-bytes", "x"]]
)
def test_2_for_what_argparse_refuses(world, arguments):
    done = world.gate(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"prompt": "a", "completion": "b"}\n{"prompt": \n', "data/new.jsonl:2: "),
        (b'{"prompt": "a", "completion": "\xff"}\n', "data/new.jsonl:1: "),
    ],
    ids=["malformed row", "not UTF-8"],
)
def test_3_for_rows_that_cannot_be_read(world, content, sentence):
    world.stage("data/new.jsonl", content)
    done = world.gate("check")
    assert done.returncode == 3
    assert said(done).startswith(sentence)


def test_2_for_rows_of_an_unknown_shape(world):
    world.stage("data/new.jsonl", '{"frobnicate": "a"}\n')
    done = world.gate("check")
    assert done.returncode == 2
    assert said(done).startswith("data/new.jsonl:1: ")


@pytest.mark.parametrize("content", ["", "{}", "[" * 100_000, '{"schema": "d2b-gate.result/1"}'])
def test_3_for_a_result_that_is_none(world, content):
    (world.root / "result.json").write_text(content)
    done = world.gate("report", "result.json")
    assert (done.returncode, done.stdout) == (3, "")
    assert "Traceback" not in said(done)


def test_3_for_a_commit_that_git_does_not_know(world):
    done = world.gate("check", "--from-ref", "nowhere")
    assert done.returncode == 3
    assert said(done).startswith("git knows no commit 'nowhere'; ")


def test_3_for_a_model_that_is_not_here(world):
    world.stage("d2b-gate.toml", POLICY.replace('"fake"', '"local"'))
    world.stage("data/new.jsonl", HARMLESS)
    done = world.gate("check")
    assert done.returncode == 3
    assert said(done).endswith("run: d2b-gate model pull smollm2-135m")


def test_3_for_a_light_hook_whose_policy_has_the_model_run_here(world):
    assert world.gate("hook", "pre-commit", "--remote").returncode == 0, "nothing is to be judged"
    world.stage("data/new.jsonl", HARMLESS)
    done = world.gate("hook", "pre-commit", "--remote")
    assert done.returncode == 3
    assert said(done).startswith("this hook loads no model itself, and the policy's backend is 'fake'; ")


def test_0_where_the_policy_lets_a_hook_defer(world):
    deferring = POLICY.replace("schema = 1", 'schema = 1\non_unavailable = { hook = "defer" }')
    world.stage("d2b-gate.toml", deferring.replace('"fake"', '"local"'))
    world.stage("data/new.jsonl", HARMLESS)
    done = world.gate("hook", "pre-commit")
    assert done.returncode == 0
    assert "left to CI" in done.stderr
    assert world.gate("hook", "pre-commit", "--remote").returncode == 0
    assert world.gate("hook", "pre-commit", CI="1").returncode == 3, "CI has nobody to defer to"
    assert world.gate("check").returncode == 3, "what follows a check by hand would go on unjudged"


def test_2_where_the_policy_is_written_and_not_added(empty):
    (empty.root / "d2b-gate.toml").write_text(POLICY)
    done = empty.gate("check")
    assert done.returncode == 2
    assert said(done) == "d2b-gate.toml is not in git's index, which is what is judged; run: git add d2b-gate.toml"


def test_a_malformed_row_is_never_deferred(world):
    world.stage("d2b-gate.toml", POLICY.replace("schema = 1", 'schema = 1\non_unavailable = { hook = "defer" }'))
    world.stage("data/new.jsonl", '{"prompt": \n')
    assert world.gate("hook", "pre-commit").returncode == 3


@pytest.mark.skipif(sys.platform == "win32", reason="git is shadowed by a file without an ending")
def test_3_where_git_fails_or_is_absent(world, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    done = world.gate("check", PATH=str(tools))
    assert done.returncode == 3
    assert said(done).startswith("git cannot be started (")
    (tools / "git").write_text(
        '#!/bin/sh\ncase "$*" in *diff*) echo \'fatal: sick\' >&2; exit 128;; esac\nexec REAL "$@"\n'.replace(
            "REAL", _which_git()
        )
    )
    (tools / "git").chmod(0o755)
    done = world.gate("check", PATH=f"{tools}{os.pathsep}{os.environ['PATH']}")
    assert done.returncode == 3
    assert "git diff failed: sick" in said(done)


def _which_git() -> str:
    places = (Path(folder) / "git" for folder in os.environ["PATH"].split(os.pathsep))
    return str(next(place for place in places if place.is_file()))


def test_a_first_push_is_judged_although_pre_commit_names_no_range(world):
    """A push that includes the root commit comes without refs; everything in HEAD is then new."""
    world.stage("data/new.jsonl", HARMFUL)
    world.commit()
    done = world.gate("hook", "pre-push")
    assert done.returncode == 1
    assert "nothing -> HEAD" in done.stdout


@pytest.mark.parametrize(
    "flags", [("--from-ref", ""), ("--from-ref", "", "--to-ref", ""), ("--from-ref=HEAD", "--to-ref=")]
)
def test_an_empty_ref_is_a_mistake_and_not_another_question(world, flags):
    done = world.gate("check", *flags)
    assert done.returncode == 2
    assert "--from-ref or --to-ref is empty" in said(done)


def test_in_ci_a_base_without_policy_needs_bootstrap(world):
    world.git("rm", "--quiet", "d2b-gate.toml")
    base = world.commit()
    world.stage("d2b-gate.toml", POLICY)
    world.stage("data/new.jsonl", HARMFUL)
    head = world.commit()
    flags = ("check", "--from-ref", base, "--to-ref", head)
    done = world.gate(*flags, CI="true")
    assert done.returncode == 2
    assert "the base commit has no policy" in said(done)
    done = world.gate(*flags, "--bootstrap", CI="true")
    assert done.returncode == 1
    assert "the base commit has no policy: judged by the head's own" in done.stdout
    done = world.gate("check", "--from-ref", "0" * 40, "--to-ref", head, CI="true")
    assert done.returncode == 2
