"""What a worker of a cluster opens: its own machine's model, and a store of its own where it is told of one."""

from __future__ import annotations

import numpy as np
import pytest

from d2b_gate.backends.hf.backend import HfBackend
from d2b_gate.core.errors import UsageError
from d2b_gate.core.rows import Turn, make_row
from d2b_gate.core.rules import ModelSpec
from d2b_gate.gate.on_worker import open_backend
from d2b_gate.store.sqlite import open_store
from tests.backends.hf.models.conftest import write_model
from tests.models import Silence

ROWS = [make_row([Turn("text", text, trained=True)]) for text in ("a b", "c d e")]


@pytest.fixture
def opened(tmp_path, monkeypatch):
    monkeypatch.setenv("D2B_GATE_CACHE_DIR", str(tmp_path / "own"))
    spec = ModelSpec(id=str(write_model(tmp_path / "model")), device="cpu", max_length=64)

    def again(url=""):
        return open_backend(spec, tmp_path / "the caller's", None, Silence(), url)

    return again


def test_without_a_store_a_worker_keeps_nothing(opened, tmp_path):
    assert isinstance(opened(), HfBackend)
    assert opened().states(ROWS, "last").values_nld.any()
    assert not (tmp_path / "the caller's").exists()


def test_what_a_worker_s_store_knows_is_not_computed_again(opened, tmp_path, monkeypatch):
    first = opened(str(tmp_path / "store")).states(ROWS, "last").values_nld
    monkeypatch.setattr(HfBackend, "states", lambda *_: pytest.fail("computed again"))
    again = opened(str(tmp_path / "store")).states(ROWS, "last").values_nld
    assert first.any()
    np.testing.assert_allclose(again, first, atol=1e-3 * np.abs(first).max())


def test_a_worker_s_store_grows_as_far_as_its_machine_says(opened, tmp_path, monkeypatch):
    monkeypatch.setenv("D2B_GATE_CACHE_MAX_BYTES", "1")
    opened(str(tmp_path / "store")).states(ROWS, "last")
    assert open_store(tmp_path / "store").size().bytes == 0


def test_a_bound_that_is_no_size_is_told_of_a_worker(opened, tmp_path, monkeypatch):
    monkeypatch.setenv("D2B_GATE_CACHE_MAX_BYTES", "a lot")
    with pytest.raises(UsageError, match=r"D2B_GATE_CACHE_MAX_BYTES: 'a lot' is no size"):
        opened(str(tmp_path / "store"))
