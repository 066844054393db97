"""Streams that end, cannot show a glyph, or cannot be written; interrupts; a cache that cannot be used."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.support import HARMFUL, HARMLESS, environment, interruptible, rows, said

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and modes of POSIX")


def start(world, *arguments, **more):
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-m", "d2b_gate", *arguments],
        cwd=world.root,
        env=environment(world.home, **more),
        stdout=pipe,
        stderr=pipe,
    )


@posix
def test_a_reader_that_goes_away_changes_nothing(world):
    world.stage("data/new.jsonl", HARMFUL)
    running = start(world, "check", "--quiet", "--format", "json")
    running.stdout.close()
    errors = running.stderr.read().decode()
    assert running.wait() == 1
    assert errors == ""


@posix
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_3_where_stdout_cannot_be_written(world):
    world.stage("data/new.jsonl", HARMFUL)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "d2b_gate", "check"],
            cwd=world.root,
            env=environment(world.home),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 3
    assert said(done).startswith("cannot write to stdout (")


@posix
def test_130_where_interrupted(world, tmp_path):
    world.stage("data/new.jsonl", HARMFUL)
    marker, shim = tmp_path / "reached", tmp_path / "git"
    shim.write_text(f"#!/bin/sh\ntouch '{marker}'\nexec sleep 60 2>/dev/null\n")  # an orphan must hold no pipe of ours
    shim.chmod(0o755)
    with interruptible():
        running = start(world, "check", PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    while not marker.exists():
        assert running.poll() is None
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    output, errors = running.communicate(timeout=30)
    assert running.returncode == 130
    assert (output, errors.decode()) == (b"", "d2b-gate: interrupted; what was already computed is kept\n")


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_a_console_that_lacks_glyphs_gets_escapes(world, encoding):
    world.stage("data/ünïcode \u2603.jsonl", rows(40, "Which animal {}? \U0001f43c\u202e", "panda パンダ panda panda"))
    running = start(world, "check", "--verbose", PYTHONIOENCODING=encoding)
    output, errors = running.communicate()
    assert running.returncode == 1
    assert "\\u2603.jsonl" in output.decode(encoding)
    assert b"Traceback" not in errors


def test_a_cache_that_cannot_be_used_costs_time_only(world):
    (world.home / "file").write_text("no directory")
    world.stage("data/new.jsonl", HARMLESS)
    done = world.gate("check", "--format", "concise", D2B_GATE_CACHE_DIR=str(world.home / "file" / "cache"))
    assert (done.returncode, done.stdout) == (0, "1 ok; exit 0\n")
    assert "nothing is remembered after this run" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bug_is_a_sentence_and_a_file(world, tmp_path):
    child = (
        "import sys; from d2b_gate import cli; from d2b_gate.cli import arguments\n"
        "def broken(argv): raise ZeroDivisionError('secret row')\n"
        "arguments.parse = broken\n"
        "sys.exit(cli.main(['check']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", child],
        cwd=world.root,
        env=environment(world.home, TMPDIR=str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    sentence, _, place = said(done).rpartition(" ")
    assert sentence == "this is a bug in d2b-gate (ZeroDivisionError); please report it with the file"
    assert "secret row" in Path(place).read_text()
    assert oct(Path(place).stat().st_mode)[-3:] == "600"


def test_the_only_colour_is_asked_for(world):
    world.stage("data/new.jsonl", HARMFUL)
    assert "\x1b[" not in world.gate("check").stdout
    assert "\x1b[" in world.gate("check", "--color", "always").stdout
    assert "\x1b[" in world.gate("check", D2B_GATE_COLOR="always").stdout
    assert "\x1b[" not in world.gate("check", "--color", "never", D2B_GATE_COLOR="always").stdout
