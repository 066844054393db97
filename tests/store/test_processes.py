"""Several processes share one store."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from d2b_gate.store.sqlite import DiskStore, open_store

from .shared import on_disk

if TYPE_CHECKING:
    from pathlib import Path


def write_some(root: Path, who: int) -> None:
    store = open_store(root)
    assert isinstance(store, DiskStore), store.problem
    for number in range(40):
        store.put_json("k", f"{who}-{number}", [who, number])
        store.put_json("shared", str(number), "the same for all")
        store.put_arrays("shared", str(number % 5), {"a": np.full(100, number % 5)})
    assert store.problem == "", store.problem
    store.close()


def run_all(workers) -> None:
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * len(workers)


def test_processes_that_start_together_share_one_store(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    run_all([spawn.Process(target=write_some, args=(tmp_path, who)) for who in range(4)])
    store = on_disk(tmp_path)
    assert store.size()[:2] == (4 * 40 + 40, 5)
    assert store.get_json("k", "3-39") == [3, 39]
    np.testing.assert_array_equal(store.get_arrays("shared", "4")["a"], np.full(100, 4))


def use_inherited(store: DiskStore, who: int) -> None:
    for number in range(30):
        store.put_json("child", f"{who}-{number}", number)
    assert store.get_json("parent", "1") == "p"
    assert store.problem == "", store.problem


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork on this platform")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_may_go_on_using_its_parents_store(tmp_path):
    store = on_disk(tmp_path)
    store.put_json("parent", "1", "p")
    fork = multiprocessing.get_context("fork")
    run_all([fork.Process(target=use_inherited, args=(store, who)) for who in range(3)])
    store.put_json("parent", "2", "q")
    assert store.size().values == 2 + 3 * 30
    assert store.problem == ""
    database = store._values._connection()
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_busy_database_is_waited_for(tmp_path):
    store, other = on_disk(tmp_path), on_disk(tmp_path)
    connection = other._values._connection()
    connection.execute("BEGIN IMMEDIATE")
    store._values._connection().execute("PRAGMA busy_timeout = 50")
    store.put_json("k", "1", 1)
    assert "locked" in store.problem
    connection.execute("ROLLBACK")
    store.put_json("k", "1", 1)
    assert store.get_json("k", "1") == 1


ROWS = {f"row {i}": bytes([i % 251]) * (7 * i % 3000 + 1) for i in range(200)}


def write_features(root: Path, who: int) -> None:
    store = open_store(root)
    assert isinstance(store, DiskStore), store.problem
    for start in range(0, 200, 20):
        some = dict(list(ROWS.items())[start : start + 20])
        store.put_features("shared", some)
        store.put_features(f"of {who}", some)
        assert store.get_features("shared", list(some)) == some
    assert store.problem == "", store.problem
    store.close()


def test_processes_write_the_same_and_other_rows_at_the_same_time(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    run_all([spawn.Process(target=write_features, args=(tmp_path, who)) for who in range(3)])
    store = on_disk(tmp_path)
    for kind in ("shared", "of 0", "of 1", "of 2"):
        assert store.get_features(kind, list(ROWS)) == ROWS
    assert store.size().features == 4 * 200


def collect_features(root: Path) -> None:
    store = open_store(root)
    assert isinstance(store, DiskStore), store.problem
    for _ in range(10):
        store.gc(20_000)
    assert store.problem == "", store.problem


def test_one_process_collects_while_others_write(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=write_and_forget, args=(tmp_path, who)) for who in range(2)]
    run_all([*writers, spawn.Process(target=collect_features, args=(tmp_path,))])
    store = on_disk(tmp_path)
    assert intact(store)
    assert store.problem == ""


def write_and_forget(root: Path, who: int) -> None:
    store = open_store(root)
    for start in range(0, 200, 10):
        store.put_features("shared", dict(list(ROWS.items())[start + who : start + 10]))
    assert store.problem == "", store.problem


def intact(store: DiskStore) -> bool:
    """Every row is there as it was written, or not at all; and every shard is sound."""
    found = store.get_features("shared", list(ROWS))
    shards = [store._features._file(shard).here() for shard in store._features.shards()]
    return all(ROWS[key] == value for key, value in found.items()) and all(
        database.execute("PRAGMA integrity_check").fetchone() == ("ok",) for database in shards
    )


WRITER = """
import os, sys
from pathlib import Path
from d2b_gate.store.sqlite import open_store
from tests.store.test_processes import ROWS
store = open_store(Path(sys.argv[1]), max_bytes=int(sys.argv[2]))
print("ready", flush=True)
while True:
    store.put_features("shared", ROWS)
    store.get_features("shared", list(ROWS))
    store.put_json("k", "1", list(ROWS))
"""


@pytest.mark.skipif(os.name != "posix", reason="no such kill on this platform")
@pytest.mark.parametrize("max_bytes", [10**9, 100_000])
def test_writers_that_are_killed_at_any_moment_leave_a_sound_store(tmp_path, max_bytes):
    """Two at a time, with and without a bound that makes them collect all the while."""
    random = Random(7)
    for _ in range(6):
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, str(tmp_path), str(max_bytes)], stdout=subprocess.PIPE, text=True
            )
            for _ in range(2)
        ]
        try:
            assert all(writer.stdout.readline() == "ready\n" for writer in writers)
            time.sleep(random.uniform(0, 0.25))
        finally:
            for writer in writers:
                writer.kill()
        assert [writer.wait() for writer in writers] == [-signal.SIGKILL] * 2
        for writer in writers:
            writer.stdout.close()
        store = on_disk(tmp_path)
        assert intact(store)
        assert store.get_json("k", "1") in (None, list(ROWS))
        store.put_features("shared", ROWS)
        assert store.get_features("shared", list(ROWS)) == ROWS
        assert store.problem == ""
        store.close()
    assert list(tmp_path.glob("**/*.damaged")) == []
