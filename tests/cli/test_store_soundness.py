"""Whatever happened to the store, the verdict is the one that an empty store gives."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from d2b_gate.store.sqlite import DiskStore, open_store
from tests.cli.support import HARMFUL, HARMLESS, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.support import World

COMMAND = [sys.executable, "-m", "d2b_gate", "check", "--format", "json"]


def store_of(world: World) -> Path:
    return world.home / "cache" / "store"


def verdict(done: subprocess.CompletedProcess[str]) -> tuple[int, dict]:
    """Exit code and report, but for what tells of the run and not of the change."""
    assert "Traceback" not in done.stderr
    report = json.loads(done.stdout)
    del report["seconds"], report["rows"]["cached"]
    report["provenance"]["null"] = report["provenance"]["null"].replace("remembered", "measured now")
    return done.returncode, report


def check(world: World) -> tuple[int, dict]:
    return verdict(world.gate("check", "--format", "json"))


def sound(world: World) -> bool:
    """What is written after all is found again."""
    opened = open_store(store_of(world))
    if not isinstance(opened, DiskStore):
        return False
    many = {str(i): bytes([i]) for i in range(64)}
    opened.put_features("k", many)
    found = opened.get_features("k", list(many)) == many
    opened.close()
    return found and opened.problem == ""


@pytest.fixture
def full(world: World) -> tuple[World, tuple[int, dict]]:
    """A change to judge, the verdict of an empty store, and the store that it left, with one row less in it."""
    world.stage("data/new.jsonl", HARMFUL)
    expected = check(world)
    assert expected[0] == 1
    shutil.rmtree(world.home / "cache")
    world.stage("data/new.jsonl", HARMFUL[: HARMFUL.rindex("{")] + HARMLESS)
    check(world)
    world.stage("data/new.jsonl", HARMFUL)
    return world, expected


def rotten(file: Path, kept: int) -> None:
    size = file.stat().st_size
    file.write_bytes(file.read_bytes()[:kept] + os.urandom(max(0, size - kept)))


def rotten_features(store: Path) -> None:
    for file in (store / "features").glob("*.sqlite3"):
        rotten(file, 4096)


def rotten_everything(store: Path) -> None:
    for file in store.rglob("*"):
        if file.is_file():
            rotten(file, 100)


def features_changed_in_place(store: Path) -> None:
    for file in (store / "features").glob("*.sqlite3"):
        with sqlite3.connect(file) as database:
            database.execute("UPDATE packed SET value = zeroblob(length(value))")
        database.close()


def newer_features(store: Path) -> None:
    for file in (store / "features").glob("*.sqlite3"):
        with sqlite3.connect(file) as database:
            database.execute("PRAGMA user_version = 99")
        database.close()


def newer_values(store: Path) -> None:
    with sqlite3.connect(store / "values.sqlite3") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()


def no_place_for_features(store: Path) -> None:
    shutil.rmtree(store / "features")
    (store / "features").write_text("in the way")


def only_features_lost(store: Path) -> None:
    shutil.rmtree(store / "features")


def only_features_left(store: Path) -> None:
    for file in store.glob("values.*"):
        file.unlink()
    shutil.rmtree(store / "arrays")


def earlier_layout(store: Path) -> None:
    """Features of rows as earlier versions kept them: a file each, with what would be wrong numbers."""
    shutil.rmtree(store)
    opened = open_store(store)
    for i in range(20):
        opened.put_arrays("states-response", str(i), {"values": np.full((3, 16), i, np.float32)})
        opened.put_json("length", str(i), [1, 2, 3])
    opened.close()


@pytest.mark.parametrize(
    "accident",
    [
        rotten_features, rotten_everything, features_changed_in_place, no_place_for_features, only_features_lost,
        only_features_left, earlier_layout, newer_features, newer_values,
    ],
)  # fmt: skip
def test_after_an_accident_the_verdict_is_the_same(full, accident):
    world, expected = full
    accident(store_of(world))
    assert check(world) == expected
    assert check(world) == expected
    if accident not in (newer_features, newer_values, no_place_for_features):
        assert sound(world)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="modes do not bind here")
def test_in_a_directory_that_cannot_be_written_the_verdict_is_the_same(full):
    world, expected = full
    folders = [store_of(world), *(path for path in store_of(world).rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o500)
    try:
        assert check(world) == expected
    finally:
        for folder in folders:
            folder.chmod(0o700)
    assert check(world) == expected
    assert sound(world)


@pytest.mark.skipif(os.name != "posix", reason="no such limit on this platform")
@pytest.mark.parametrize("blocks", [0, 16, 64, 96])
@pytest.mark.parametrize("start", ["empty", "full"])
def test_where_files_cannot_grow_the_verdict_is_the_same(full, blocks, start):
    """A limit on the size of files (in blocks of 512 bytes) stands for a disk that is full: writes end half way."""
    world, expected = full
    if start == "empty":
        shutil.rmtree(world.home / "cache")
    limited = ["sh", "-c", f'ulimit -f {blocks}; exec "$@"', "sh", *COMMAND]
    done = subprocess.run(
        limited, cwd=world.root, env=environment(world.home), capture_output=True, encoding="utf-8", check=False
    )
    assert verdict(done) == expected
    assert check(world) == expected
    assert sound(world)


@pytest.mark.skipif(os.name != "posix", reason="no such kill on this platform")
def test_after_checks_that_were_killed_the_verdict_is_the_same(full):
    world, expected = full
    random = Random(3)
    shutil.rmtree(world.home / "cache")
    for _ in range(6):
        running = [
            subprocess.Popen(
                COMMAND,
                cwd=world.root,
                env=environment(world.home),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for _ in range(2)
        ]
        time.sleep(random.uniform(0.2, 1.5))
        for one in running:
            one.kill()
            one.wait()
    assert check(world) == expected
    assert sound(world)


def test_a_store_that_may_hold_next_to_nothing_gives_the_same_verdict(full):
    world, expected = full
    assert verdict(world.gate("check", "--format", "json", D2B_GATE_CACHE_MAX_BYTES="20k")) == expected
    told = world.gate("cache", "info", D2B_GATE_CACHE_MAX_BYTES="20k").stdout
    assert "of at most 20.0 kB" in told


def test_a_bound_that_is_no_size_is_a_usage_error(world):
    world.stage("data/new.jsonl", HARMFUL)
    for command in (("check",), ("cache", "info")):
        done = world.gate(*command, D2B_GATE_CACHE_MAX_BYTES="much")
        assert done.returncode == 2
        assert "D2B_GATE_CACHE_MAX_BYTES" in done.stderr
        assert "Traceback" not in done.stderr
