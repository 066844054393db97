from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from d2b_gate.core.rules import DatasetSpec
from d2b_gate.formats.containers import csv_file, json_array, jsonl, parquet, plain_text, tsv_file
from d2b_gate.formats.reading import read_records, read_rows
from d2b_gate.formats.shapes import (
    alpaca,
    messages,
    preference,
    prompt_completion,
    sharegpt,
    text,
    unpaired_preference,
)

if TYPE_CHECKING:
    from d2b_gate.core.rows import Row
    from d2b_gate.formats.interface import Container, Record, Shape

CONTAINERS: dict[str, Container] = {
    "jsonl": jsonl,
    "json": json_array,
    "csv": csv_file,
    "tsv": tsv_file,
    "parquet": parquet,
    "plain": plain_text,
}
SHAPES: dict[str, Shape] = {
    shape.NAME: shape
    for shape in (preference, unpaired_preference, messages, sharegpt, alpaca, prompt_completion, text)
}


class Reader:
    """Reads bytes as the gate would, with the tables of every container and shape."""

    containers = CONTAINERS
    shapes = SHAPES

    def rows(self, content: bytes | str, path: str = "a.jsonl", format: str = "auto", **columns: str) -> list[Row]:
        return list(read_rows(_bytes(content), path, _spec(format, columns), CONTAINERS, SHAPES))

    def records(self, content: bytes | str, path: str = "a.jsonl", format: str = "auto") -> list[Record]:
        return list(read_records(_bytes(content), path, _spec(format, {}), CONTAINERS))


def _bytes(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _spec(format: str, columns: dict[str, str]) -> DatasetSpec:
    return DatasetSpec("sft", ("**",), format=format, columns=tuple(sorted(columns.items())), origin="d2b-gate.toml:7")


@pytest.fixture(scope="session")
def reader() -> Reader:
    return Reader()
