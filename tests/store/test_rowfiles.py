from __future__ import annotations

import os
import time
from hashlib import sha256
from types import SimpleNamespace

import pytest

from d2b_gate.core.errors import EvaluationError
from d2b_gate.store import records, rowfiles
from d2b_gate.store.memory import MemoryStore
from d2b_gate.store.rowfiles import RowFiles, held_parts, row_files
from d2b_gate.store.sqlite import open_store

ENTRIES = [
    (path, sha256(f"{path}{line // 2}".encode()).hexdigest(), line, line % 5 > 0)
    for path in ("b", "a")
    for line in range(1, 30)
]


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(records, "HELD", 4)
    monkeypatch.setattr(records, "BLOCK", 3)


def told(parts):
    return [
        (part.path, part.untrained, *(list(rows.read(0, len(rows))) for rows in (part.places, part.keys)))
        for part in parts
    ]


def test_an_index_on_disk_says_what_one_in_memory_says(tmp_path):
    files = RowFiles(tmp_path)
    assert told(files.put("key", iter(ENTRIES))) == told(held_parts(ENTRIES))
    assert told(RowFiles(tmp_path).get("key")) == told(held_parts(ENTRIES))
    assert RowFiles(tmp_path).get("other") is None
    assert RowFiles(tmp_path / "absent").get("key") is None


def test_records_are_read_the_same_where_a_file_has_one_position(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "pread")
    assert told(RowFiles(tmp_path).put("key", iter(ENTRIES))) == told(held_parts(ENTRIES))
    with records.temporary(tmp_path) as file:
        first = records.Spooled(file, 0, records.spool(iter([b"1", b"2", b"3", b"4"]), file), 1).read(0, 4)
        assert next(first) == b"1"
        assert file.tell() == 4
        records.spool(iter([b"5"]), file)
        assert list(first) == [b"2", b"3", b"4"]
        assert list(records.Spooled(file, 4, 1, 1).read(0, 1)) == [b"5"]


def test_places_and_keys_are_sorted_whatever_order_rows_come_in(tmp_path):
    entries = [("a", key, 1, True) for _, key, _, _ in ENTRIES]
    ((_, _, places, keys),) = told(RowFiles(tmp_path).put("key", entries))
    assert places == sorted(places)
    assert keys == sorted(keys)
    assert sorted(record[4:] + record[:4] for record in places) == keys


def test_part_of_an_index_is_read_from_anywhere(tmp_path):
    part = RowFiles(tmp_path).put("key", ENTRIES)[1]
    every = list(part.keys.read(0, len(part)))
    assert list(part.keys.read(5, 12)) == every[5:12]


@pytest.mark.parametrize("place", [0, 700, -60, -20, -1])
def test_a_damaged_index_counts_as_absent_and_is_removed(tmp_path, place):
    RowFiles(tmp_path).put("key", ENTRIES)
    (path,) = tmp_path.glob("*/*.rows")
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    assert RowFiles(tmp_path).get("key") is None
    assert not path.exists()


@pytest.mark.parametrize("length", [0, 10, 500])
def test_an_index_that_was_cut_short_counts_as_absent(tmp_path, length):
    RowFiles(tmp_path).put("key", ENTRIES)
    (path,) = tmp_path.glob("*/*.rows")
    path.write_bytes(path.read_bytes()[:length])
    assert RowFiles(tmp_path).get("key") is None


def test_a_file_that_cannot_be_read_to_its_end_leaves_no_index(tmp_path):
    def broken():
        yield from ENTRIES
        raise ValueError("a row is malformed")

    with pytest.raises(ValueError, match="malformed"):
        RowFiles(tmp_path).put("key", broken())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_index_is_collected_with_the_store_and_its_use_is_recorded(tmp_path):
    store = open_store(tmp_path)
    store.row_files.put("old", ENTRIES)
    store.put_json("kind", "key", "value")
    (path,) = tmp_path.glob("rows/*/*.rows")
    long_ago = time.time() - 10 * 86_400
    os.utime(path, (long_ago, long_ago))
    assert store.size().bytes > path.stat().st_size
    assert store.row_files.get("old")
    assert path.stat().st_mtime > long_ago + 86_400
    os.utime(path, (long_ago, long_ago))
    assert store.gc(1_000) > 0
    assert not path.exists()
    assert store.get_json("kind", "key") == "value"


def test_an_index_that_a_run_reads_stays_until_another_run_collects(tmp_path):
    for _ in range(2):  # one that makes it, one that finds it
        store = open_store(tmp_path, max_bytes=2_000)
        parts = store.row_files.get("key") or store.row_files.put("key", ENTRIES)
        for number in range(10):
            store.put_json("kind", str(number), "x" * 500)
        assert told(parts) == told(held_parts(ENTRIES))
        assert store.problem == ""
        store.close()
    other = open_store(tmp_path, max_bytes=2_000)
    other.put_json("kind", "more", "x" * 500)
    assert other.row_files.get("key") is None


def test_every_use_of_an_index_is_recorded(tmp_path):
    RowFiles(tmp_path).put("key", ENTRIES)
    (path,) = tmp_path.glob("*/*.rows")
    just_now = time.time() - 60
    os.utime(path, (just_now, just_now))
    assert RowFiles(tmp_path).get("key")
    assert path.stat().st_mtime > just_now + 30


def test_what_a_crash_left_is_swept(tmp_path):
    open_store(tmp_path).row_files.folder()
    (tmp_path / "rows" / "unfinished" / "1-ab").write_bytes(b"x")
    (tmp_path / "rows" / "unfinished" / "2-cd").write_bytes(b"x")
    os.utime(tmp_path / "rows" / "unfinished" / "1-ab", (1.0, 1.0))
    open_store(tmp_path)
    assert [path.name for path in (tmp_path / "rows" / "unfinished").iterdir()] == ["2-cd"]


def test_without_a_place_on_disk_indices_go_with_the_store():
    store = MemoryStore()
    assert store.row_files.get("key") is None
    store.row_files.put("key", ENTRIES)
    folder = store.row_files.folder()
    assert told(store.row_files.get("key")) == told(held_parts(ENTRIES))
    del store
    assert not folder.exists()


def test_a_store_of_another_make_has_a_temporary_place():
    store = SimpleNamespace()
    assert row_files(store) is row_files(SimpleNamespace())
    assert isinstance(row_files(store), RowFiles)


def test_an_index_that_another_process_collected_is_read_on(tmp_path):
    made = RowFiles(tmp_path).put("key", ENTRIES)
    found = RowFiles(tmp_path).get("key")
    next(tmp_path.glob("*/*.rows")).unlink()
    assert told(made) == told(found) == told(held_parts(ENTRIES))


def test_an_index_that_was_collected_is_told_where_no_file_outlives_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(rowfiles, "OUTLIVES", False)
    (part, _) = RowFiles(tmp_path).put("key", ENTRIES)
    next(tmp_path.glob("*/*.rows")).unlink()
    with pytest.raises(EvaluationError, match="cannot be read any more"):
        list(part.keys.read(0, 1))
