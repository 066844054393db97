"""What the policy lets reports show of the text of rows."""

from __future__ import annotations

import json

import pytest

from d2b_gate.registry import REPORTS
from tests.cli.support import HARMFUL, POLICY

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


@pytest.mark.parametrize("samples", ["none", "redacted", "full"])
def test_blamed_rows_and_answers_are_shown_as_the_policy_says(world, samples):
    world.stage("d2b-gate.toml", POLICY.replace("[method]", f'show_samples = "{samples}"\n[method]', 1))
    world.stage("data/new.jsonl", HARMFUL)
    assert world.gate("check", "--output-file", "json=result.json").returncode == 1
    result = (world.root / "result.json").read_text()
    (finding,) = json.loads(result)["findings"]
    shown = [text for run in finding["blame"] for text in run.get("samples", ())]
    assert ("panda panda panda" in result) == (samples == "full")
    assert bool(shown) == ("sayings" in finding) == (samples != "none")
    assert all(text.startswith("user 3 words, assistant 3 words; row ") for text in shown) or samples == "full"
    assert finding["tokens"]
    assert [dose["strength"] for dose in finding["doses"]] == [0, 0.25, 0.5, 0.75, 1]
