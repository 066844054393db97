"""TSV: CSV with tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.formats.containers.csv_file import delimited, without_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from d2b_gate.formats.interface import Record

SUFFIXES: tuple[str, ...] = (".tsv", ".tab")


def records(content: bytes, path: str) -> Iterator[Record]:
    """Parse each line after the header."""
    return delimited(iter((content,)), path, "\t")


def streamed(pieces: Iterator[bytes], path: str, wanted: Callable[[int], bool]) -> Iterator[Record]:
    """As `records`; where a row ends is only known by reading all."""
    del wanted
    return delimited(pieces, path, "\t")


def without(content: bytes, path: str, gone: Collection[int]) -> bytes:
    """Take the lines of rows out; the header stays."""
    return without_rows(content, path, "\t", gone)
