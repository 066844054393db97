"""The store on disk survives what disks do."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from d2b_gate.store.arrays import ArrayFiles
from d2b_gate.store.memory import MemoryStore
from d2b_gate.store.sqlite import open_store
from d2b_gate.store.values import Values

from .shared import array_files, on_disk


def test_an_unusable_directory_falls_back_to_memory_and_says_so(tmp_path):
    (tmp_path / "file").write_text("not a directory")
    store = open_store(tmp_path / "file" / "store")
    assert isinstance(store, MemoryStore)
    assert str(tmp_path / "file" / "store") in store.problem
    assert "\n" not in store.problem
    store.put_json("k", "1", 2)
    assert store.get_json("k", "1") == 2


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="modes do not bind here")
def test_a_read_only_directory_falls_back_to_memory(tmp_path):
    root = tmp_path / "store"
    root.mkdir()
    (tmp_path / "store" / "README.txt").write_text("")
    root.chmod(0o500)
    tmp_path.chmod(0o500)
    try:
        assert open_store(root / "below").problem
    finally:
        tmp_path.chmod(0o700)


def test_a_newer_schema_is_left_alone(tmp_path):
    on_disk(tmp_path).close()
    with sqlite3.connect(tmp_path / "values.sqlite3") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    store = open_store(tmp_path)
    assert isinstance(store, MemoryStore)
    assert "newer d2b-gate" in store.problem
    with sqlite3.connect(tmp_path / "values.sqlite3") as database:
        assert database.execute("PRAGMA user_version").fetchone() == (99,)
    database.close()


def test_a_file_that_is_no_database_is_set_aside(tmp_path):
    (tmp_path / "values.sqlite3").write_bytes(b"garbage " * 512)
    store = on_disk(tmp_path)
    store.put_json("k", "1", 2)
    assert store.get_json("k", "1") == 2
    assert [path.read_bytes()[:7] for path in tmp_path.glob("*.damaged")] == [b"garbage"]
    store.clear()
    assert list(tmp_path.glob("*.damaged")) == []


def test_damage_during_a_run_begins_a_new_database(tmp_path):
    first = on_disk(tmp_path)
    for number in range(2000):
        first.put_json("k", str(number), "x" * 100)
    first.close()
    database = tmp_path / "values.sqlite3"
    content = bytearray(database.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)  # the header page survives, so opening succeeds
    database.write_bytes(content)
    store = on_disk(tmp_path)
    assert store.get_json("k", "7") is None
    assert "damaged" in store.problem
    store.put_json("k", "7", "again")
    assert store.get_json("k", "7") == "again"


def test_a_damaged_array_file_counts_as_absent_and_goes(tmp_path):
    store = on_disk(tmp_path)
    for damage in (b"", b"\x00" * 4, b"\xff" * 100):
        store.put_arrays("k", "1", {"a": np.arange(9.0)})
        [file] = array_files(tmp_path)
        file.write_bytes(damage)
        assert store.get_arrays("k", "1") is None
        assert array_files(tmp_path) == []
    store.put_arrays("k", "1", {"a": np.arange(9.0)})
    [file] = array_files(tmp_path)
    file.write_bytes(file.read_bytes()[:-1])
    assert store.get_arrays("k", "1") is None
    assert store.problem == ""


def test_arrays_that_changed_on_disk_count_as_absent_and_go(tmp_path):
    store = on_disk(tmp_path)
    for place in range(-72, 0, 5):
        store.put_arrays("k", "1", {"a": np.arange(9.0)})
        [file] = array_files(tmp_path)
        content = bytearray(file.read_bytes())
        content[place] ^= 1
        file.write_bytes(content)
        assert store.get_arrays("k", "1") is None
        assert array_files(tmp_path) == []
    assert store.problem == ""


def test_arrays_without_a_checksum_are_of_an_earlier_version_and_count_as_absent(tmp_path):
    store = on_disk(tmp_path)
    store.put_arrays("k", "1", {"a": np.arange(9.0)})
    [file] = array_files(tmp_path)
    file.write_bytes(save({"a": np.arange(9.0)}))
    assert store.get_arrays("k", "1") is None


def test_a_value_that_changed_on_disk_or_lies_under_another_name_counts_as_absent(tmp_path):
    store = on_disk(tmp_path)
    for change in ("value = replace(value, '12', '13')", "key = '2'", "value = '12'"):
        store.put_json("k", "1", 12)
        with sqlite3.connect(tmp_path / "values.sqlite3") as database:
            database.execute(f"UPDATE OR REPLACE entries SET {change}")
        database.close()
        assert store.get_json("k", "1") is None
        assert store.get_json("k", "2") is None
    assert store.problem == ""


@pytest.mark.parametrize("change", ["used = 'x'", "used = zeroblob(4)", "value = CAST(value AS BLOB)", "value = 7"])
def test_a_value_of_another_type_counts_as_absent_and_is_collected(tmp_path, change):
    store = on_disk(tmp_path)
    store.put_json("k", "1", 12)
    with sqlite3.connect(tmp_path / "values.sqlite3") as database:
        database.execute(f"UPDATE entries SET {change}")
    database.close()
    store.put_json("k", "2", 12)
    assert (store.get_json("k", "1"), store.get_json("k", "2")) == (None, 12)
    assert store.size().values == 2
    store.gc(0)
    assert store.size().values == 0
    assert store.problem == ""


def test_text_that_is_no_json_counts_as_absent(tmp_path):
    values = Values(tmp_path / "values.sqlite3")
    values.put("k", "1", "{broken")
    assert values.get("k", "1") is None


def test_a_full_disk_is_one_remembered_problem(tmp_path, monkeypatch):
    store = on_disk(tmp_path)
    store.put_json("k", "kept", 1)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    def full_database(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(ArrayFiles, "put", full)
    monkeypatch.setattr(Values, "put", full_database)
    store.put_arrays("k", "1", {"a": np.zeros(1)})
    store.put_json("k", "1", 1)
    assert "No space left" in store.problem
    assert store.get_json("k", "kept") == 1


def test_of_a_problem_that_comes_late_one_hears_once(tmp_path, monkeypatch):
    heard: list[str] = []
    store = open_store(tmp_path / "store", tell=heard.append)
    assert heard == []

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Values, "put", full)
    for number in range(3):
        store.put_json("k", str(number), 1)
    assert heard == [store.problem]
    assert "disk is full" in heard[0]


def test_a_store_that_cannot_be_opened_says_so_at_once(tmp_path):
    (tmp_path / "store").write_text("no directory")
    heard: list[str] = []
    store = open_store(tmp_path / "store", tell=heard.append)
    assert heard == [store.problem]
    assert "nothing is remembered" in heard[0]


def test_a_full_database_does_not_raise(tmp_path):
    store = on_disk(tmp_path)
    pages = store._values._connection().execute("PRAGMA page_count").fetchone()[0]
    store._values._connection().execute(f"PRAGMA max_page_count = {pages}")
    for number in range(50):
        store.put_json("k", str(number), "x" * 1000)
    assert "full" in store.problem


def test_what_a_crashed_process_left_is_swept_once_it_is_old(tmp_path):
    store = on_disk(tmp_path)
    store.put_arrays("k", "1", {"a": np.zeros(2)})
    old, young = tmp_path / "tmp" / "1-old", tmp_path / "tmp" / "2-young"
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    assert store.size().arrays == 1
    again = on_disk(tmp_path)
    assert [path.name for path in (tmp_path / "tmp").iterdir()] == ["2-young"]
    assert again.get_arrays("k", "1") is not None


def test_a_write_that_fails_half_way_leaves_nothing(tmp_path, monkeypatch):
    store = on_disk(tmp_path)
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("torn")))
    store.put_arrays("k", "1", {"a": np.zeros(2)})
    monkeypatch.undo()
    assert "torn" in store.problem
    assert store.get_arrays("k", "1") is None
    assert list((tmp_path / "tmp").iterdir()) == []


def age(root: Path, key: str, days: float) -> None:
    then = time.time() - days * 86_400
    with sqlite3.connect(root / "values.sqlite3") as database:
        database.execute("UPDATE entries SET used = ? WHERE key = ?", (then, key))
    database.close()


def test_gc_forgets_the_least_recently_used_first(tmp_path):
    store = on_disk(tmp_path)
    for days, key in ((9, "old"), (5, "read again"), (1, "new")):
        store.put_json("k", key, "x" * 89)  # 100 bytes as JSON with its checksum
        age(tmp_path, key, days)
    store.put_arrays("k", "older still", {"a": np.zeros(10)})
    os.utime(array_files(tmp_path)[0], (time.time() - 99 * 86_400,) * 2)
    assert store.get_json("k", "read again") is not None
    before = store.size().bytes
    assert store.gc(200) == before - 200
    assert store.size()[:3] == (2, 0, 200)
    assert store.get_json("k", "old") is None
    assert store.get_json("k", "read again") is not None
    assert store.gc(200) == 0


def test_reading_arrays_counts_as_use(tmp_path):
    store = on_disk(tmp_path)
    store.put_arrays("k", "1", {"a": np.zeros(1)})
    [file] = array_files(tmp_path)
    os.utime(file, (1, 1))
    store.get_arrays("k", "1")
    assert file.stat().st_mtime > time.time() - 60
