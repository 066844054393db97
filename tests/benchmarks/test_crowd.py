"""What the dilution guard's page says of crowds is what was measured."""

from __future__ import annotations

import json

from benchmarks.crowd import PLANTED, RESULT, Seen, block
from benchmarks.truth.sources import ROOT


def test_the_page_quotes_the_result():
    record = json.loads(RESULT.read_text(encoding="utf-8"))
    found = [Seen(**one) for one in record["poisons"]]
    assert record["planted"] == PLANTED
    assert block(found) in (ROOT / "docs" / "dilution-guard.md").read_text(encoding="utf-8")
