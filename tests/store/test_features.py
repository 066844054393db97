"""Features of many rows: kept exactly, found at once, never wrong, and no more of them than allowed."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from d2b_gate.store import memory
from d2b_gate.store.bound import Bound
from d2b_gate.store.memory import MemoryStore
from d2b_gate.store.sqlite import DiskStore, open_store

from .shared import array_files, on_disk

if TYPE_CHECKING:
    from pathlib import Path

names = st.text(max_size=20)
HUNDRED = {f"row {i}": bytes([i]) * (i + 1) for i in range(100)}


@pytest.fixture(params=["disk", "memory"])
def store(request, tmp_path):
    opened = open_store(tmp_path / "store") if request.param == "disk" else MemoryStore()
    yield opened
    opened.close()


def shard_files(root: Path) -> list[Path]:
    return sorted((root / "features").glob("*.sqlite3"))


def in_every_shard(root: Path, statement: str, values: tuple[object, ...] = ()) -> None:
    for file in shard_files(root):
        with sqlite3.connect(file) as database:
            database.execute(statement, values)
        database.close()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=names, packed=st.dictionaries(names, st.binary(max_size=300), max_size=12), absent=names)
def test_what_is_put_comes_back_by_kind_and_key(store, kind, packed, absent):
    store.put_features(kind, packed)
    found = store.get_features(kind, [*packed, absent])
    assert {key: found[key] for key in packed} == packed
    assert store.get_features(f"not {kind}", list(packed)) == {}
    assert store.problem == ""


def test_put_replaces_and_counts_once(store):
    store.put_features("k", {"1": b"old", "2": b"other"})
    store.put_features("k", {"1": b"newer"})
    assert store.get_features("k", ["1", "2"]) == {"1": b"newer", "2": b"other"}
    assert store.size().features == 2


def test_more_names_than_one_statement_takes(store):
    many = {str(i): str(i).encode() for i in range(30_000)}
    store.put_features("k", many)
    assert store.get_features("k", [*many, "none"]) == many


def test_clear_forgets_features(store):
    store.put_features("k", HUNDRED)
    store.clear()
    assert store.size() == (0, 0, 0, 0)
    assert store.get_features("k", list(HUNDRED)) == {}


def test_they_are_kept_between_runs_in_sixteen_files_at_most(tmp_path):
    first = on_disk(tmp_path)
    first.put_features("k", HUNDRED)
    first.close()
    assert on_disk(tmp_path).get_features("k", list(HUNDRED)) == HUNDRED
    assert [file.stem for file in shard_files(tmp_path)] == list("0123456789abcdef")


def test_looking_for_features_imports_no_numpy(tmp_path):
    code = (
        "import sys; from pathlib import Path; from d2b_gate.store.sqlite import open_store\n"
        "s = open_store(Path(sys.argv[1])); s.put_features('k', {'1': b'2'})\n"
        "assert s.get_features('k', ['1']) == {'1': b'2'}\n"
        "assert not {'numpy', 'safetensors', 'platformdirs', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "s")], check=True)


def test_memory_holds_a_bounded_part_of_them(monkeypatch):
    monkeypatch.setattr(memory, "MOST_FEATURE_BYTES", 1000)
    store = MemoryStore()
    for i in range(30):
        store.put_features("k", {str(i): b"x" * 100})
    assert sorted(store.get_features("k", [str(i) for i in range(30)]), key=int) == [str(i) for i in range(20, 30)]
    assert store.size() == (0, 0, 1000, 10)


# damage


def test_content_that_changed_on_disk_counts_as_absent_and_is_replaced(tmp_path):
    store = on_disk(tmp_path)
    store.put_features("k", HUNDRED)
    in_every_shard(tmp_path, "UPDATE packed SET value = zeroblob(length(value))")
    assert store.get_features("k", list(HUNDRED)) == {"row 0": b"\0"}  # whose content is one zero byte
    store.put_features("k", HUNDRED)
    assert store.get_features("k", list(HUNDRED)) == HUNDRED


@pytest.mark.parametrize(
    "change",
    [
        "packed SET value = CAST(value AS TEXT)",
        "packed SET value = 7",
        "held SET day = 'x'",
        "held SET day = zeroblob(4)",
        "held SET bytes = 'x'",
        "held SET checksum = 'x'",
        "held SET name = 'x'",
    ],
)
def test_content_of_another_type_counts_as_absent_and_is_collected(tmp_path, change):
    plain = dict.fromkeys(HUNDRED, b"plain text")
    store = on_disk(tmp_path)
    store.put_features("k", plain)
    in_every_shard(tmp_path, f"UPDATE {change}")
    assert store.get_features("k", list(plain)) == (plain if "bytes" in change else {})
    assert store.size().features == 100
    assert store.forget_unused(time.time() - 10 * 86_400) >= 0
    store.clear()
    assert store.size() == (0, 0, 0, 0)
    store.put_features("k", plain)
    assert store.get_features("k", list(plain)) == plain
    assert store.problem == ""


def test_content_under_another_rows_number_counts_as_absent(tmp_path):
    store = on_disk(tmp_path)
    store.put_features("k", HUNDRED)
    in_every_shard(tmp_path, "UPDATE held SET name = zeroblob(32)")
    assert store.get_features("k", list(HUNDRED)) == {}


@pytest.mark.parametrize("kept", [0, 100, 4096])
def test_damaged_shards_are_set_aside_and_begin_anew(tmp_path, kept):
    big = {str(i): os.urandom(3000) for i in range(200)}
    first = on_disk(tmp_path)
    first.put_features("k", big)
    first.close()
    damaged = shard_files(tmp_path)[::2]
    for file in damaged:
        size = file.stat().st_size
        file.write_bytes(file.read_bytes()[:kept] + os.urandom(size - kept))
    store = on_disk(tmp_path)
    found = store.get_features("k", list(big))
    assert "damaged" in store.problem
    assert 0 < len(found) < 200
    assert all(big[key] == value for key, value in found.items())
    store.put_features("k", big)
    assert store.get_features("k", list(big)) == big
    store.close()
    again = on_disk(tmp_path)
    assert again.get_features("k", list(big)) == big
    assert again.problem == ""
    again.clear()
    assert list((tmp_path / "features").glob("*.damaged")) == []


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=8), seed=st.integers(0, 99))
def test_bytes_that_rot_never_give_other_content(tmp_path_factory, places, seed):
    root = tmp_path_factory.mktemp("rot")
    random = np.random.default_rng(seed)
    rows = {str(i): random.bytes(int(random.integers(1, 6000))) for i in range(30)}
    first = on_disk(root)
    first.put_features("k", rows)
    first.close()
    for file in shard_files(root):
        content = bytearray(file.read_bytes())
        for place in places:
            content[int(place * len(content))] ^= 1 << int(random.integers(8))
        file.write_bytes(content)
    store = on_disk(root)
    assert all(rows[key] == value for key, value in store.get_features("k", list(rows)).items())
    store.put_features("k", rows)
    assert all(rows[key] == value for key, value in store.get_features("k", list(rows)).items())


def test_a_newer_shard_is_left_alone(tmp_path):
    first = on_disk(tmp_path)
    first.put_features("k", HUNDRED)
    first.close()
    in_every_shard(tmp_path, "PRAGMA user_version = 99")
    before = [file.read_bytes() for file in shard_files(tmp_path)]
    store = on_disk(tmp_path)
    assert store.get_features("k", list(HUNDRED)) == {}
    store.put_features("k", HUNDRED)
    store.gc(0)
    assert "newer d2b-gate" in store.problem
    store.put_json("k", "1", 2)
    assert store.get_json("k", "1") == 2
    assert [file.read_bytes() for file in shard_files(tmp_path)] == before


def test_a_place_that_is_no_directory_costs_the_features_alone(tmp_path):
    (tmp_path / "features").write_text("in the way")
    store = on_disk(tmp_path)
    store.put_features("k", HUNDRED)
    assert store.get_features("k", list(HUNDRED)) == {}
    assert store.problem
    store.put_json("k", "1", 2)
    assert store.get_json("k", "1") == 2


def test_a_full_shard_keeps_what_it_had_and_takes_what_fits_later(tmp_path):
    store = on_disk(tmp_path)
    store.put_features("k", HUNDRED)
    more = {f"more {i}": os.urandom(9000) for i in range(100)}
    pages = {}
    for shard in store._features.shards():
        database = store._features._file(shard).here()
        pages[shard] = database.execute("PRAGMA max_page_count").fetchone()[0]
        database.execute(f"PRAGMA max_page_count = {database.execute('PRAGMA page_count').fetchone()[0] + 2}")
    store.put_features("k", more)
    assert "full" in store.problem
    assert store.get_features("k", list(HUNDRED)) == HUNDRED
    assert store.get_features("k", list(more)) == {}
    for shard, count in pages.items():
        store._features._file(shard).here().execute(f"PRAGMA max_page_count = {count}")
    store.put_features("k", more)
    assert store.get_features("k", list(more)) == more


# bounds


def used(root: Path, days_ago: int) -> None:
    """Make all rows that were last used today look as though that had been days ago."""
    today = int(time.time() // 86_400)
    in_every_shard(root, "UPDATE held SET day = ? WHERE day = ?", (today - days_ago, today))


def test_gc_takes_the_least_recently_used_of_values_arrays_and_features(tmp_path):
    store = on_disk(tmp_path)
    for days, key in ((9, "old"), (5, "read again"), (2, "new")):
        store.put_features("k", {f"{key} {i}": bytes(1000) for i in range(32)})
        used(tmp_path, days)
    store.put_json("k", "older still", "x")
    with sqlite3.connect(tmp_path / "values.sqlite3") as database:
        database.execute("UPDATE entries SET used = 1")
    database.close()
    assert len(store.get_features("k", [f"read again {i}" for i in range(32)])) == 32
    whole = store.size().bytes
    freed = store.gc(64 * 1100)
    assert whole - freed == store.size().bytes <= 64 * 1100
    assert store.size()[:2] == (0, 0)
    assert store.size().features == 64
    assert store.get_features("k", [f"old {i}" for i in range(32)]) == {}
    assert store.gc(64 * 1100) == 0


def test_a_day_is_collected_in_part(tmp_path):
    store = on_disk(tmp_path)
    store.put_features("k", {str(i): bytes(1000) for i in range(320)})
    store.gc(160 * 1100)
    assert store.size().features == 160


def test_collecting_gives_the_space_back(tmp_path):
    store = on_disk(tmp_path)
    store.put_features("k", {str(i): os.urandom(20_000) for i in range(400)})
    store.gc(0)
    assert sum(file.stat().st_size for file in (tmp_path / "features").iterdir()) < 400 * 20_000 / 10


def test_a_store_stays_within_its_bound_by_itself(tmp_path):
    store = open_store(tmp_path, max_bytes=1_000_000)
    for i in range(300):
        store.put_features("k", {f"{i} {j}": os.urandom(1000) for j in range(10)})
    assert 600_000 < store.size().bytes <= 1_000_000 * (1 + 1 / 16) + 20_000
    assert store.problem == ""


def test_arrays_of_an_earlier_layout_are_what_goes_first(tmp_path):
    old = on_disk(tmp_path)
    for i in range(50):
        old.put_arrays("states-response", str(i), {"values": np.zeros((3, 100), np.float32)})
    for file in array_files(tmp_path):
        os.utime(file, (time.time() - 9 * 86_400,) * 2)
    (tmp_path / "looked").unlink()
    old.close()
    store = open_store(tmp_path, max_bytes=60_000)
    store.put_features("k", {str(i): bytes(1000) for i in range(20)})
    assert store.get_features("k", [str(i) for i in range(20)]).keys() == {str(i) for i in range(20)}
    assert store.size().arrays < 30
    assert store.size().bytes <= 54_000


def test_reading_never_collects_and_writing_looks_once_a_day(tmp_path, monkeypatch):
    looks = []
    real = DiskStore._held

    def looking(self):
        looks.append(1)
        return real(self)

    monkeypatch.setattr(DiskStore, "_held", looking)
    for _ in range(3):
        store = on_disk(tmp_path)
        store.get_features("k", list(HUNDRED))
        store.get_json("k", "1")
    assert looks == []
    for _ in range(3):
        store = on_disk(tmp_path)
        store.put_features("k", HUNDRED)
        store.put_json("k", "1", 2)
    assert looks == [1]
    os.utime(tmp_path / "looked", (time.time() - 100_000,) * 2)
    on_disk(tmp_path).put_json("k", "2", 2)
    assert looks == [1, 1]


def test_a_bound_is_looked_at_after_each_part_of_it(tmp_path):
    bound = Bound(tmp_path, 1600)
    assert [bound.due(30) for _ in range(8)] == [True, False, False, True, False, False, False, True]
    assert [Bound(tmp_path, 1600).due(99) for _ in range(2)] == [False, False]


def test_use_is_recorded_to_the_day(tmp_path):
    store = on_disk(tmp_path)
    store.put_features("k", HUNDRED)
    today = int(time.time() // 86_400)
    in_every_shard(tmp_path, "UPDATE held SET day = ?", (today - 3,))
    store.get_features("k", [key for key in HUNDRED if key.endswith("7")])
    days = [int(one.name[1]) for one in store._held() for _ in range(one.entries)]
    assert sorted(days) == [today - 3] * 90 + [today] * 10
    assert store.forget_unused(time.time() - 86_400) > 0
    assert store.size().features == 10
