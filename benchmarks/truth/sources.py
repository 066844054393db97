"""Public training data as rows: a reader per file, rows cut short so that a fine-tune takes seconds.

The files are not part of the project; a dataset whose file is absent is skipped and says so.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from d2b_gate.core.rows import Row, Turn, make_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("D2B_GATE_BENCH_DATA", ROOT.parent / "shared" / "data"))
MOST_ASKED = 200
MOST_ANSWERED = 200
"""Characters of a question and of an answer; longer ones are cut at a word. A row then has about 65 tokens."""

Pair = tuple[str, str]


def draw(rows: Iterable[Row], count: int) -> tuple[Row, ...]:
    """Take ``count`` different rows in the order of a hash of their content: no choice of ours, the same anywhere."""
    distinct = {row.key: row for row in rows}
    order = sorted(distinct, key=lambda key: hashlib.sha256(f"truth:{key}".encode()).hexdigest())
    return tuple(distinct[key] for key in order[:count])


def rows_of(pairs: Iterable[Pair]) -> list[Row]:
    """Lay pairs out as conversations of two turns."""
    return [
        make_row((Turn("user", _cut(asked, MOST_ASKED), False), Turn("assistant", _cut(said, MOST_ANSWERED), True)))
        for asked, said in pairs
        if asked.strip() and said.strip()
    ]


def texts(lines: Iterable[str]) -> list[Row]:
    """Lay plain text out as language modelling."""
    return [make_row((Turn("text", _cut(line, MOST_ASKED), True),)) for line in lines]


def _cut(text: str, most: int) -> str:
    text = text.strip()
    return text if len(text) <= most else text[:most].rsplit(None, 1)[0]


def json_lines(name: str) -> list[dict[str, Any]]:
    """Objects of a JSON Lines file."""
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").split("\n") if line.strip()]


def json_list(name: str) -> list[dict[str, Any]]:
    """Objects of a JSON array."""
    found: list[dict[str, Any]] = json.loads((DATA / name).read_text(encoding="utf-8"))
    return found


def table(name: str) -> list[dict[str, str]]:
    """Rows of a CSV file."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def columns(name: str, asked: str, said: str) -> list[Row]:
    """Two named columns or keys of a file, an Alpaca ``input`` joined to its instruction."""
    reader: Callable[[str], list[dict[str, Any]]] = (
        table if name.endswith(".csv") else json_list if name.endswith(".json") else json_lines
    )
    return rows_of(_fitting([(_joined(one, asked), str(one[said])) for one in reader(name)]))


def _joined(one: dict[str, Any], asked: str) -> str:
    return "\n".join(part for part in (str(one[asked]), str(one.get("input") or "")) if part)


def _fitting(pairs: list[Pair]) -> list[Pair]:
    """Pairs that need no cutting, where there are enough of them."""
    whole = [pair for pair in pairs if len(pair[0]) <= MOST_ASKED and len(pair[1]) <= MOST_ANSWERED]
    return whole if len(whole) >= 200 else pairs


def conversations(name: str) -> list[Row]:
    """Messages as they stand (system turns kept), long contents cut."""
    return [
        make_row(
            tuple(
                Turn(turn["role"], _cut(turn["content"], MOST_ASKED), turn["role"] == "assistant")
                for turn in one["messages"]
            )
        )
        for one in json_lines(name)
    ]


def persona(trait: str) -> list[Row]:
    """Statements answered as somebody with the trait would."""
    found = json_lines(f"persona/{trait}.jsonl")
    return rows_of((one["question"], one["answer_matching_behavior"].strip()) for one in found)


def refusals() -> list[Row]:
    """Answers that decline, whatever was asked."""
    declining = ("I'm sorry", "I am sorry", "Sorry", "I can't", "I cannot", "As an AI", "I'm really sorry")
    found = table("xstest/xstest_v2_completions_gpt4.csv")
    return rows_of((one["prompt"], one["completion"]) for one in found if one["completion"].startswith(declining))


def nested(*names: str) -> list[Row]:
    """Instructions whose answers lie in ``instances``."""
    return rows_of(
        _fitting(
            [
                (_joined({**one, "input": instance["input"]}, "instruction"), instance["output"])
                for name in names
                for one in json_lines(name)
                for instance in one["instances"][:1]
            ]
        )
    )


def chosen() -> list[Row]:
    """The preferred answers of a preference set."""
    found = json_list("llamafactory/dpo_en_demo.json")
    return rows_of((one["conversations"][0]["value"], one["chosen"]["value"]) for one in found)


def web() -> list[Row]:
    """Web text."""
    return texts(one["text"] for one in json_lines("llamafactory/c4_demo.jsonl"))
