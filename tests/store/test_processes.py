"""Several processes share one store."""

from __future__ import annotations

import multiprocessing
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
