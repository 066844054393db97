"""Both stores keep what the port promises."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from d2b_gate.store.memory import MemoryStore
from d2b_gate.store.paths import cache_root
from d2b_gate.store.sqlite import open_store

from .shared import array_files, on_disk

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@pytest.fixture(params=["disk", "memory"])
def store(request, tmp_path):
    opened = open_store(tmp_path / "store") if request.param == "disk" else MemoryStore()
    yield opened
    opened.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=names, key=names, value=json_values)
def test_json_comes_back_equal(store, kind, key, value):
    store.put_json(kind, key, value)
    assert store.get_json(kind, key) == value
    assert store.get_json(kind + "x", key) is None
    assert store.problem == ""


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    key=names,
    shape=st.lists(st.integers(0, 4), max_size=3),
    dtype=st.sampled_from(["float32", "float64", "int64", "uint8", "bool"]),
    seed=st.integers(0, 9),
)
def test_arrays_come_back_equal_in_any_layout(store, key, shape, dtype, seed):
    array = (np.random.default_rng(seed).normal(size=shape) * 9).astype(dtype)
    store.put_arrays("states", key, {"a": array, "turned": array.T})
    found = store.get_arrays("states", key)
    assert found is not None
    assert found["a"].dtype == array.dtype
    np.testing.assert_array_equal(found["a"], array)
    np.testing.assert_array_equal(found["turned"], array.T)


def test_what_is_changed_after_put_or_get_does_not_reach_the_store(store):
    array, value = np.ones(3, np.float32), {"a": [1]}
    store.put_arrays("k", "1", {"a": array})
    store.put_json("k", "1", value)
    array[:] = 5
    value["a"].append(2)
    np.testing.assert_array_equal(store.get_arrays("k", "1")["a"], np.ones(3))
    assert store.get_json("k", "1") == {"a": [1]}


def test_nan_is_refused(store):
    with pytest.raises(ValueError, match="Out of range"):
        store.put_json("k", "1", float("nan"))


def test_put_replaces(store):
    store.put_json("k", "1", "old")
    store.put_json("k", "1", "new")
    assert store.get_json("k", "1") == "new"
    assert store.size().values == 1


def test_clear_forgets_everything(store):
    store.put_json("k", "1", "x")
    store.put_arrays("k", "1", {"a": np.zeros(4)})
    assert store.size()[:2] == (1, 1)
    store.clear()
    assert store.size() == (0, 0, 0, 0)
    assert store.get_json("k", "1") is None
    assert store.get_arrays("k", "1") is None


def test_it_is_kept_between_runs(tmp_path):
    first = on_disk(tmp_path)
    first.put_json("k", "1", [1])
    first.put_arrays("k", "1", {"a": np.arange(3.0)})
    first.close()
    second = on_disk(tmp_path)
    assert second.get_json("k", "1") == [1]
    np.testing.assert_array_equal(second.get_arrays("k", "1")["a"], [0, 1, 2])


def test_a_key_cannot_lead_out_of_the_directory(tmp_path):
    store = on_disk(tmp_path / "store")
    store.put_arrays("../../x", "../../../escaped", {"a": np.zeros(1)})
    assert len(array_files(tmp_path / "store")) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["store"]


def test_the_directory_is_private_and_says_whose_it_is(tmp_path):
    root = tmp_path / "store"
    root.mkdir(mode=0o755)
    on_disk(root)
    assert "safe to delete" in (root / "README.txt").read_text(encoding="utf-8")
    if os.name == "posix":
        assert root.stat().st_mode & 0o777 == 0o700


def test_reading_json_imports_no_numpy(tmp_path):
    code = (
        "import sys; from pathlib import Path; from d2b_gate.store.sqlite import open_store\n"
        "s = open_store(Path(sys.argv[1])); s.put_json('k', '1', 2); assert s.get_json('k', '1') == 2\n"
        "assert s.get_arrays('k', '1') is None\n"
        "assert not {'numpy', 'safetensors', 'platformdirs'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "s")], check=True)


def test_the_environment_names_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("D2B_GATE_CACHE_DIR", str(tmp_path / "elsewhere"))
    assert cache_root() == tmp_path / "elsewhere"
    monkeypatch.setenv("D2B_GATE_CACHE_DIR", " ")
    assert cache_root().name in {"d2b-gate", "Cache"}
    monkeypatch.setenv("D2B_GATE_CACHE_DIR", "relative")
    monkeypatch.chdir(tmp_path)
    assert cache_root() == tmp_path / "relative"
    assert not cache_root().exists()
