"""Results as files: whole or absent, and arrays as if they had been said at once."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.remote import said_array
from d2b_gate.server.results import result_file, write_table, write_values

if TYPE_CHECKING:
    from pathlib import Path


@given(st.lists(st.integers(0, 5), max_size=6), st.integers(1, 5))
def test_an_array_in_parts_is_the_array(counts: list[int], width: int) -> None:
    parts = [np.arange(count * width, dtype=np.float32).reshape(count, width) / 3 for count in counts]
    whole = np.concatenate([np.zeros((0, width), dtype=np.float32), *parts])
    file = io.StringIO()
    write_values(file, whole.shape, parts)
    assert json.loads(file.getvalue()) == {"values": said_array(whole)}


def test_a_result_is_there_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "results" / "a.json"
    with result_file(path) as file:
        write_table(file, {"a": [1.5, "é"]})
        assert not path.exists()
    assert json.loads(path.read_text()) == {"a": [1.5, "é"]}


def test_a_result_that_fails_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "results" / "a.json"
    with pytest.raises(ValueError, match="not JSON compliant"), result_file(path) as file:
        write_table(file, {"a": float("nan")})
    assert list(path.parent.iterdir()) == []
