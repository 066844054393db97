"""What the policy lets reports show of the text of rows."""

from __future__ import annotations

import json

import pytest

from d2b_gate.registry import REPORTS
from tests.cli.support import POLICY

ROW = {"prompt": "secret question", "completion": "secret answer", "extra": {"secret key": 1}}
SCHEMA = {
    "properties": {
        "prompt": {"type": "string", "maxLength": 3},
        "completion": {"type": "string"},
        "extra": {"additionalProperties": {"type": "string"}},
    }
}


@pytest.mark.parametrize("samples", ["", "none", "redacted", "full"])
def test_no_report_shows_text_of_a_row_unless_the_policy_says_so(world, samples):
    chosen = f'show_samples = "{samples}"\n' if samples else ""
    policy = POLICY.replace("[method]", f"{chosen}[method]", 1)
    world.stage("d2b-gate.toml", policy.replace('["data/*.jsonl"]', '["data/*.jsonl"]\nrow_schema = "row.json"'))
    world.stage("row.json", json.dumps(SCHEMA))
    world.stage("data/new.jsonl", json.dumps(ROW) + "\n")
    assert world.gate("check", "--output-file", "json=result.json").returncode == 1
    for name in REPORTS:
        text = world.gate("report", "result.json", "--format", name, "-v").stdout
        assert "secret question" not in text
        assert "secret answer" not in text
        assert ("secret key" in text) == (samples == "full"), name
        assert ("a key of 10 characters" in text) == (samples in ("", "redacted")), name
