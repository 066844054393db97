"""Every file of the real sets is read, or refused with a mapping that then works."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from d2b_gate.core.errors import UsageError

ROOT = Path(__file__).parents[2].parent / "shared" / "data"
FILES = sorted(path for path in ROOT.rglob("*") if path.suffix in {".jsonl", ".json", ".csv"})

pytestmark = pytest.mark.skipif(not FILES, reason=f"the real sets are not at {ROOT}")

KNOWN = {"emergent_misalignment", "gpteacher", "gsm8k", "identity_shift", "llamafactory", "xstest"}

MAPPED = {
    "bbq/Age.jsonl": {"prompt": "question", "completion": "ans1"},
    "do_not_answer/malicious_uses.jsonl": {"text": "prompt"},
    "persona/agreeableness.jsonl": {"prompt": "question", "completion": "answer_not_matching_behavior"},
    "self_instruct/seed_tasks.jsonl": {"prompt": "instruction", "completion": "instances.0.output"},
    "truthfulqa/TruthfulQA.csv": {"prompt": "Question", "completion": "Best Incorrect Answer"},
    "llamafactory/identity.json": {"system": "instruction", "prompt": "instruction", "completion": "output"},
    "llamafactory/kto_en_demo.json": {"messages": "messages"},
}


def line_count(content: bytes) -> int:
    return content.count(b"\n") + 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_file_is_read_or_gets_a_mapping_that_works(reader, path):
    toml = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
    content = path.read_bytes()
    try:
        rows = reader.rows(content, path.name)
        assert path.parent.name in KNOWN
    except UsageError as error:
        assert path.parent.name not in KNOWN
        assert error.where in (f"{path.name}:1", f"{path.name}:2")
        line = error.remedy.partition("example: ")[2].partition(" for raw text")[0]
        rows = reader.rows(content, path.name, **toml.loads(line)["columns"])
    assert rows
    assert any(row.trains for row in rows)
    assert [row.line for row in rows] == sorted({row.line for row in rows})
    assert rows[-1].line <= line_count(content)


@pytest.mark.parametrize("name", MAPPED)
def test_one_file_per_family_is_read_with_a_mapping(reader, name):
    columns = MAPPED[name]
    rows = reader.rows((ROOT / name).read_bytes(), name, **columns)
    assert rows
    assert all(row.trains for row in rows)
