from __future__ import annotations

import pytest

from d2b_gate.core.change import FileRef
from d2b_gate.core.rows import RowDiff, RowRef
from d2b_gate.core.rules import DatasetSpec
from d2b_gate.gate.dataset import DatasetChange
from d2b_gate.gate.measure import make_job


@pytest.mark.parametrize("side", ["kept", "added", "removed"])
def test_a_member_of_a_tracked_directory_has_its_datasets_weight_in_every_part(side):
    """Its path is not that of the pointer file that the state names."""
    refs = {"kept": (), "added": (), "removed": ()} | {side: (RowRef("a" * 64, "data/raw/a.jsonl", 1),)}
    pointer = (FileRef("data/raw.dvc", "1", "100644"),)
    change = DatasetChange(DatasetSpec("sft", ("data/**",), weight=3.0), pointer, pointer, RowDiff(**refs), 0, 0, ())
    assert getattr(make_job([change]).mass, side) == 3.0
