"""`model` and `cache`, without a network and without a model."""

from __future__ import annotations

import json

import pytest

from d2b_gate.backends.hf.models.builtin import BUILTINS
from d2b_gate.backends.hf.models.files import LOCK_NAME, ModelFiles, file_names, hashed
from d2b_gate.backends.hf.models.lock import write_lock
from d2b_gate.cli.sizes import parse_size, readable
from d2b_gate.store.sqlite import open_store
from tests.cli.support import HARMLESS, said

BUILTIN = BUILTINS["smollm2-135m"]


@pytest.fixture
def pulled(world):
    """What `model pull` leaves behind, with small files."""
    place = world.home / "cache" / "models" / BUILTIN.name
    place.mkdir(parents=True)
    (place / "config.json").write_text("{}")
    (place / "model.safetensors").write_bytes(b"weights")
    entries = tuple(hashed(place, name) for name in file_names(place))
    write_lock(place / LOCK_NAME, ModelFiles(place, BUILTIN.id, BUILTIN.sha256, entries), {})
    return place


def test_list_before_and_after(world, request):
    assert world.gate("model", "list").stdout == (
        "builtin:smollm2-135m  not fetched; d2b-gate model pull smollm2-135m\n"
    )
    place = request.getfixturevalue("pulled")
    assert world.gate("model", "list").stdout == (
        f"builtin:smollm2-135m  9 B  revision {BUILTIN.sha256[:12]}  {place}\n"
    )
    entry = json.loads(world.gate("model", "list", "--format", "json").stdout)[0]
    assert entry == {
        "id": BUILTIN.id,
        "revision": BUILTIN.sha256,
        "licence": "Apache-2.0",
        "here": True,
        "bytes": 9,
        "path": str(place),
    }


def test_verify_is_silent_about_nothing(world, pulled):
    done = world.gate("model", "verify")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"builtin:smollm2-135m is intact: 2 files, 9 B, revision {BUILTIN.sha256}\n"
    (pulled / "model.safetensors").write_bytes(b"WEIGHTS")
    done = world.gate("model", "verify", BUILTIN.id)
    assert done.returncode == 3
    assert "model.safetensors has sha256" in said(done)
    assert "expected" in said(done)


def test_verify_of_what_was_not_fetched(world):
    done = world.gate("model", "verify")
    assert done.returncode == 3
    assert said(done) == "model builtin:smollm2-135m was not fetched yet; run: d2b-gate model pull smollm2-135m"
    assert world.gate("model", "verify", "nothing-like-it").returncode == 2


def test_verify_of_a_directory_prints_the_pin(world):
    model = world.root / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_bytes(b"weights")
    done = world.gate("model", "verify", "./model")
    assert done.returncode == 0
    assert done.stdout.startswith('sha256 = "')
    (model / "config.json").write_text("[]")
    assert world.gate("model", "verify", "./model").returncode == 3
    assert world.gate("model", "verify", "./none").returncode == 2


def test_looking_at_a_cache_creates_nothing(world):
    done = world.gate("cache", "info")
    assert done.returncode == 0
    assert done.stdout.splitlines()[1:] == [
        "store    0 values, 0 arrays and 0 features of rows, 0 B of at most 10.0 GB",
        "results  0, 0 B",
        "training 0 B",
        "remotes  0 B",
        "rays     0 B",
        "models   0 B",
    ]
    assert not (world.home / "cache").exists()
    assert world.gate("cache", "gc").returncode == 0
    assert world.gate("cache", "clear").returncode == 0
    assert not (world.home / "cache").exists()


def test_a_cache_fills_and_is_emptied_but_for_models(world, pulled):
    world.stage("data/new.jsonl", HARMLESS)
    assert world.gate("check").returncode == 0
    full = world.gate("cache", "info").stdout
    assert "results  1, " in full
    assert "0 values, 0 arrays and 0 features" not in full
    assert world.gate("cache", "gc", "--max-bytes", "0").returncode == 0
    assert "0 values, 0 arrays and 0 features" in world.gate("cache", "info").stdout
    assert world.gate("check").returncode == 0
    done = world.gate("cache", "clear")
    assert done.returncode == 0
    assert done.stdout.endswith(f"models stay in {pulled.parent}\n")
    assert world.gate("cache", "info").stdout.splitlines()[1:3] == [
        "store    0 values, 0 arrays and 0 features of rows, 0 B of at most 10.0 GB",
        "results  0, 0 B",
    ]
    assert pulled.is_dir()


@pytest.mark.parametrize("place", ["remotes", "rays"])
def test_what_was_computed_elsewhere_is_counted_collected_and_removed(world, place):
    folder = world.home / "cache" / place / "0123456789abcdef"
    store = open_store(folder / "store")
    store.put_json("row", "key", "x" * 5_000)
    store.close()
    assert f"\n{place:<9}0 B" not in world.gate("cache", "info").stdout
    assert world.gate("cache", "gc", "--max-bytes", "0").stdout.startswith("freed 5.0 kB")
    store = open_store(folder / "store")
    assert store.get_json("row", "key") is None
    store.close()
    assert world.gate("cache", "clear").returncode == 0
    assert not folder.parent.exists()


def test_a_store_that_cannot_be_opened_is_an_error_here(world):
    (world.home / "cache").mkdir()
    (world.home / "cache" / "store").mkdir()
    (world.home / "cache" / "store" / "arrays").write_text("no directory")
    (world.home / "cache" / "store" / "values.sqlite3").mkdir()
    for action in ("info", "gc", "clear"):
        done = world.gate("cache", action)
        assert done.returncode == 3
        assert "cannot be used" in said(done)


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("512", 512), ("500MB", 500_000_000), ("2g", 2_000_000_000), ("1.5 GiB", 1_610_612_736)],
)
def test_sizes_are_read(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_999, "1.0 MB"), (539_700_000, "539.7 MB")]
)
def test_sizes_are_written(size, text):
    assert readable(size) == text
