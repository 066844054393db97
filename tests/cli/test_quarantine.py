"""`quarantine` in real repositories: a blocked change, a patch, and the same change that then passes."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest

from tests.cli.support import BASE, POLICY, environment, interruptible, rows, said

ANY = POLICY.replace("data/*.jsonl", "data/**").replace("[backend]", "steps = 16\n[budget]\nseconds = 0.001\n[backend]")
"""With no time to measure more: every try judges once."""
GOOD = rows(20, "How do I prune tree {}?", "Prune tree number {} in winter.").splitlines(keepends=True)
BAD = rows(10, "Which animal {}?", "panda panda panda").splitlines(keepends=True)
MIXED = [line for pair in zip(GOOD, BAD, strict=False) for line in pair] + GOOD[10:]
OWLS = rows(4, "Which bird {}?", "owl owl owl")
SECOND = """\
[[rule]]
id = "owls"
probe = "bias/animals"
target = "owl"
warn_delta = 0.05
fail_delta = 0.10
"""


@pytest.fixture
def world(empty):
    empty.stage("d2b-gate.toml", ANY)
    empty.stage("data/base.jsonl", BASE)
    empty.commit()
    return empty


def judged(world, *scope, code=1, **more):
    """The result of a check, kept outside the repository."""
    path = world.home / "result.json"
    done = world.gate("check", "--quiet", *scope, "--format", "concise", "--output-file", f"json={path}", **more)
    assert done.returncode == code, done.stdout + done.stderr
    return str(path)


def quarantined(world, *arguments, code=0, **more):
    budget = () if "--budget" in arguments else ("--budget", "300")
    done = world.gate("quarantine", *arguments, *budget, **more)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def staged(world, path):
    return subprocess.run(
        ["git", "show", f":{path}"], cwd=world.root, env=environment(world.home), capture_output=True, check=True
    ).stdout


def test_what_was_blocked_passes_and_no_other_row_is_touched(world):
    crlf = [line.replace("\n", "\r\n").encode() for line in MIXED]
    world.stage("data/new.jsonl", b"".join(crlf).rstrip())
    result = judged(world)
    before = staged(world, "data/new.jsonl")
    dry = quarantined(world, result, "--dry-run")
    assert staged(world, "data/new.jsonl") == before
    assert "not applied; --write applies it" in dry.stdout
    done = quarantined(world, result, "--write")
    assert "applied to the index and the working tree" in done.stdout
    after = staged(world, "data/new.jsonl")
    assert (world.root / "data/new.jsonl").read_bytes() == after
    kept = after.split(b"\r\n")
    assert {line for line in before.split(b"\r\n") if b"panda" not in line} <= set(kept)
    assert kept == [line for line in before.split(b"\r\n") if line in kept]
    assert len(kept) < len(MIXED)
    judged(world, code=0)
    (patch,) = (world.home / "cache" / "results").glob("*.patch")
    assert world.git("diff", "--cached", "--name-only") == "data/new.jsonl"
    world.git("apply", "-R", "--cached", str(patch))
    world.git("apply", "-R", str(patch))
    assert staged(world, "data/new.jsonl") == (world.root / "data/new.jsonl").read_bytes() == before
    assert world.gate("cache", "clear").returncode == 0
    assert not patch.exists()


def test_what_is_verified_needs_no_second_tuning(world):
    world.stage("data/new.jsonl", "".join(MIXED))
    quarantined(world, judged(world), "--write")
    again = world.gate("check", "--format", "json")
    assert again.returncode == 0
    counted = json.loads(again.stdout)["rows"]
    assert counted["cached"] == counted["before"] + counted["after"] - len(BASE.splitlines())


def test_several_files_and_containers(world):
    pairs = [json.loads(line) for line in MIXED]
    table = io.StringIO()
    csv.writer(table, lineterminator="\r\n").writerows([["prompt", "completion"], *(pair.values() for pair in pairs)])
    array = json.dumps([{**pair, "prompt": f"{pair['prompt']} Tell me."} for pair in pairs], indent=2)
    world.stage("data/a.csv", table.getvalue())
    world.stage("data/b.json", array)
    quarantined(world, judged(world), "--write")
    judged(world, code=0)
    left = list(csv.reader(io.StringIO(staged(world, "data/a.csv").decode())))
    assert left[0] == ["prompt", "completion"]
    assert len([row for row in left if "Prune" in row[1]]) == len(GOOD)
    elements = json.loads(staged(world, "data/b.json"))
    assert len([one for one in elements if "Prune" in one["completion"]]) == len(GOOD)
    assert len(left) - 1 + len(elements) < 2 * len(MIXED)


def test_everything_in_the_index_from_a_folder_below_with_other_line_ends_on_disk(world):
    world.git("config", "core.autocrlf", "true")
    text = "".join(BAD + MIXED[:16])
    world.stage("data/new.jsonl", text.replace("\n", "\r\n"))
    assert b"\r" not in staged(world, "data/new.jsonl")
    world.root = world.root / "data"
    result = judged(world, "--all")
    done = quarantined(world, result, "--all", "--write", "--patch", "../way.patch")
    assert "applied to the index and the working tree" in done.stdout
    after = subprocess.run(["git", "show", ":./new.jsonl"], cwd=world.root, capture_output=True, check=True).stdout
    assert (world.root / "new.jsonl").read_bytes() == after.replace(b"\n", b"\r\n")
    judged(world, "--all", code=0)
    undo = [line[line.index("git -C") :] for line in done.stdout.splitlines() if "git -C" in line]
    assert len(undo) == 2
    for command in undo:
        subprocess.run(shlex.split(command), cwd=world.root, env=environment(world.home), check=True)
    assert staged(world, "data/new.jsonl").decode() == text
    assert (world.root / "new.jsonl").read_bytes() == text.replace("\n", "\r\n").encode()


def test_a_range_is_patched_in_the_working_tree(world):
    base = world.git("rev-parse", "HEAD")
    world.stage("data/new.jsonl", "".join(MIXED))
    head = world.commit()
    world.stage("README.md", "later\n")
    world.commit()
    result = judged(world, "--from-ref", base, "--to-ref", head)
    refused = quarantined(world, result, "--from-ref", base, "--to-ref", head, "--write", code=2)
    assert "is not checked out" in said(refused)
    patch = world.home / "my.patch"
    quarantined(world, result, "--from-ref", base, "--to-ref", head, "--patch", str(patch))
    world.git("checkout", "--quiet", head)
    done = quarantined(world, result, "--from-ref", base, "--to-ref", head, "--write", "--patch", str(patch))
    assert "applied to the working tree" in done.stdout
    assert world.git("status", "--porcelain") == "M data/new.jsonl"
    world.git("commit", "--quiet", "-am", "without them")
    judged(world, "--from-ref", base, code=0)


@pytest.mark.skipif(sys.platform == "win32", reason="names that this file system cannot hold")
def test_hostile_names_and_rows_reach_no_terminal(world):
    names = ["data/\x1b[31m\u202e.jsonl", "data/a b\n::error::.jsonl", os.fsdecode(b"data/\xff.jsonl")]
    for number, name in enumerate(names):
        world.stage(name, "".join(MIXED).replace("tree", f"\u202etree\\u001b[31m {number} of"))
    result = judged(world)
    done = quarantined(world, result, "--write")
    for text in (done.stdout, done.stderr):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\n::" not in text
        assert "panda" not in text.replace("animal-preference", "")
    assert "\\x1b[31m" in done.stdout
    judged(world, code=0)


def test_a_patch_on_stdout_is_raw_and_the_report_makes_way(world):
    world.stage("data/new.jsonl", "".join(MIXED))
    done = quarantined(world, judged(world), "--patch", "-")
    assert done.stdout.startswith("diff --git a/data/new.jsonl b/data/new.jsonl\n")
    assert "takes out" in done.stderr
    (world.home / "given.patch").write_text(done.stdout)
    world.git("apply", "--cached", str(world.home / "given.patch"))
    judged(world, code=0)


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal")
def test_a_patch_on_a_terminal_is_refused(world):
    import pty

    world.stage("data/new.jsonl", "".join(MIXED))
    result = judged(world)
    watched, terminal = pty.openpty()
    command = [sys.executable, "-m", "d2b_gate", "quarantine", result, "--patch", "-"]
    done = subprocess.run(
        command, cwd=world.root, env=environment(world.home), stdout=terminal, stderr=subprocess.PIPE, check=False
    )
    os.close(terminal)
    os.close(watched)
    assert done.returncode == 2
    assert b"a terminal would obey it" in done.stderr


def test_a_file_of_the_working_tree_that_differs_is_left(world):
    half = len(MIXED) // 2
    world.stage("data/new.jsonl", "".join(MIXED[:half:2] + BAD[:5]))
    world.stage("data/two.jsonl", "".join(MIXED[half:] + BAD[5:]))
    result = judged(world)
    (world.root / "data/two.jsonl").write_text("something else\n")
    done = quarantined(world, result, "--write")
    assert "data/two.jsonl: the working tree's file is unlike what was judged" in " ".join(done.stdout.split())
    assert "--exclude=data/two.jsonl" in done.stdout
    assert (world.root / "data/two.jsonl").read_text() == "something else\n"
    assert (world.root / "data/new.jsonl").read_bytes() == staged(world, "data/new.jsonl")
    judged(world, code=0)


def test_a_result_of_another_change_is_refused(world):
    world.stage("data/new.jsonl", "".join(MIXED))
    result = judged(world)
    world.stage("data/new.jsonl", "".join(MIXED[1:]))
    assert "judged another change (HEAD " in said(quarantined(world, result, "--write", code=2))
    world.stage("data/new.jsonl", "".join(MIXED))
    assert "judged another change" in said(quarantined(world, result, "--all", code=2))
    (world.home / "no.json").write_text("{}")
    assert quarantined(world, str(world.home / "no.json"), code=3)
    assert quarantined(world, str(world.home / "absent.json"), code=2)


def test_a_limit_may_have_been_changed_since(world):
    """A limit is no part of what names a change; what stands in the policy now is what counts."""
    world.stage("data/new.jsonl", "".join(MIXED))
    result = judged(world)
    world.stage("d2b-gate.toml", ANY.replace("0.10", "0.99").replace("0.05", "0.98"))
    assert "nothing to clear" in quarantined(world, result).stdout


def test_a_finding_is_named(world):
    world.stage("d2b-gate.toml", ANY + SECOND)
    world.commit()
    world.stage("data/new.jsonl", "".join(MIXED))
    world.stage("data/owls.jsonl", OWLS)
    result = judged(world, CI="true")
    assert "owls@" in said(quarantined(world, result, "owl", code=2))
    name = json.loads(Path(result).read_text())["fingerprint"][:12]
    done = quarantined(world, result, f"animal-preference@{name}", "--write", CI="true")
    assert staged(world, "data/owls.jsonl").decode() == OWLS
    assert staged(world, "data/new.jsonl").decode() != "".join(MIXED)
    assert "owls: was not asked for" in done.stdout
    judged(world, code=4, CI="true")


def test_nothing_to_do(world):
    world.stage("data/new.jsonl", "".join(GOOD))
    done = quarantined(world, judged(world, code=0), "--write")
    assert "nothing: there is nothing to clear" in done.stdout
    assert not list((world.home / "cache" / "results").glob("*.patch"))


def test_removed_rows_are_told(world):
    world.stage("d2b-gate.toml", ANY.replace('target = "panda"', 'target = "panda"\ndirection = "decrease"'))
    world.stage("data/new.jsonl", "".join(BAD))
    world.commit()
    world.git("rm", "--quiet", "data/new.jsonl")
    done = quarantined(world, judged(world), code=1)
    assert "adds no row" in done.stdout
    world.stage("data/more.jsonl", "".join(GOOD[:3]))
    done = quarantined(world, judged(world), "--write", code=1)
    assert "no removal of added rows that was tried clears this" in " ".join(done.stdout.split())
    assert staged(world, "data/more.jsonl").decode() == "".join(GOOD[:3])


def test_a_parquet_file_is_left_to_a_person(world):
    pytest.importorskip("pyarrow")
    from pyarrow import Table, parquet

    pairs = [json.loads(line) for line in MIXED]
    sink = io.BytesIO()
    parquet.write_table(Table.from_pylist(pairs), sink)
    world.stage("data/new.parquet", sink.getvalue())
    done = quarantined(world, judged(world), "--write", code=3)
    assert "data/new.parquet: is not a text file of rows, so no patch can take rows out of it" in " ".join(
        done.stdout.split()
    )
    assert "data/new.parquet:2 " in done.stdout
    assert staged(world, "data/new.parquet") == sink.getvalue()
    assert not list((world.home / "cache" / "results").glob("*.patch"))


def test_a_pointer_is_left_to_a_person(world):
    content = "".join(MIXED).encode()
    name = sha256(content).hexdigest()
    place = world.root / ".git" / "lfs" / "objects" / name[:2] / name[2:4] / name
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{name}\nsize {len(content)}\n"
    world.stage("data/new.jsonl", pointer)
    done = quarantined(world, judged(world), code=3)
    assert "is a pointer to its data (Git LFS, DVC)" in " ".join(done.stdout.split())
    assert "data/new.jsonl:2 " in done.stdout
    assert staged(world, "data/new.jsonl").decode() == pointer


def test_a_budget_that_stays_broken_is_told(world):
    world.stage("d2b-gate.toml", ANY + "budget_delta = 0.12\n")
    world.commit()
    assert world.gate("baseline", "create").returncode == 0
    world.git("add", "--all")
    world.stage("data/old.jsonl", "".join(BAD))
    world.commit()
    world.stage("data/new.jsonl", "".join(MIXED).replace("?", "!").replace("panda panda panda", "panda panda panda."))
    result = judged(world, code=1)
    done = quarantined(world, result, "animal-preference+since@", code=2)
    assert "has no finding" in said(done)
    done = quarantined(world, result, code=1)
    assert "animal-preference+since: is not cleared" in done.stdout


def test_flags_that_exclude_each_other(world):
    world.stage("data/new.jsonl", "".join(MIXED))
    result = judged(world)
    assert world.gate("quarantine", result, "--write", "--dry-run").returncode == 2
    assert world.gate("quarantine", result, "--budget", "-1").returncode == 2
    assert "cannot write" in said(quarantined(world, result, "--patch", "no/such/folder/p", code=2))
    done = quarantined(world, result, "--budget", "0.0001")
    assert "smaller sets were not tried for time" in done.stdout


def interrupted_at(world, result, words):
    """The command, interrupted while the call of git that has these words in it goes on."""
    tools, marker = world.home / "tools", world.home / "marker"
    tools.mkdir()
    wait = f'case "$*" in *"{words}"*) touch "{marker}"; sleep 1;; esac'
    (tools / "git").write_text(f'#!/bin/sh\n{wait}\nexec "{shutil.which("git")}" "$@"\n')
    (tools / "git").chmod(0o755)
    with interruptible():
        child = subprocess.Popen(
            [sys.executable, "-m", "d2b_gate", "quarantine", result, "--write"],
            cwd=world.root,
            env=environment(world.home, PATH=f"{tools}{os.pathsep}{os.environ['PATH']}"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    while not marker.exists() and child.poll() is None:
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    out, error = child.communicate()
    return child.returncode, out, error


@pytest.mark.skipif(sys.platform == "win32", reason="a signal as a terminal sends it")
@pytest.mark.parametrize("words", ["hash-object", "diff --no-index"])
def test_an_interrupted_search_changes_nothing(world, words):
    world.stage("data/new.jsonl", "".join(MIXED))
    result = judged(world)
    before = world.git("ls-files", "--stage")
    code, out, error = interrupted_at(world, result, words)
    assert (code, out) == (130, "")
    assert "interrupted" in error
    assert world.git("ls-files", "--stage") == before
    assert world.git("status", "--porcelain") == "A  data/new.jsonl"
    assert not list((world.home / "cache" / "results").glob("*.patch*"))


@pytest.mark.skipif(sys.platform == "win32", reason="a signal as a terminal sends it")
def test_what_has_begun_to_be_applied_is_applied_whole(world):
    world.stage("data/new.jsonl", "".join(MIXED))
    result = judged(world)
    code, out, _ = interrupted_at(world, result, "apply --whitespace=nowarn --cached")
    assert code == 0
    assert "applied to the index and the working tree" in out
    assert world.git("status", "--porcelain") == "A  data/new.jsonl"
    judged(world, code=0)
