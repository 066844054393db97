"""A file read in pieces is the file read whole."""

from __future__ import annotations

import gzip
import io
import json
import random
import tracemalloc

import pytest
import zstandard
from hypothesis import assume, given
from hypothesis import strategies as st

from d2b_gate.core.content import Streamed, whole
from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.rules import DatasetSpec
from d2b_gate.formats import decompression, limits
from d2b_gate.formats.containers import csv_file, parquet
from d2b_gate.formats.decompression import opened
from d2b_gate.formats.interface import Streaming
from d2b_gate.formats.reading import read_records, read_rows_at
from tests.formats.conftest import CONTAINERS, SHAPES

SPEC = DatasetSpec("sft", ("**",))
TELLING = [*b'{}[]":,ab\n\r \t\\\0\xef\xbb\xbf\xff1']
BYTES = st.binary(max_size=40) | st.lists(st.sampled_from(TELLING), max_size=40).map(bytes)
DEFECTS = (b"text\n1\nb\xffd\n", b'text\n{"a"\n', b"text\n\0", b"text\n1,2\n", b'{"a":1}\n{"a":1,"a":2}\n')
ROWS = b"".join(json.dumps({"text": f"row {number}"}).encode() + b"\n" for number in range(2_000))


def cut(content, sizes):
    """The content in pieces of these sizes, over and over; as a streamed file."""

    def pieces():
        start, turn = 0, 0
        while start < len(content):
            size = sizes[turn % len(sizes)]
            yield content[start : start + size]
            start, turn = start + size, turn + 1

    return Streamed(len(content), pieces)


def outcome(content, path):
    try:
        return [(record.line, record.value) for record in read_records(content, path, SPEC, CONTAINERS)]
    except EvaluationError as error:
        return str(error)


def parquet_bytes(rows):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    stream = io.BytesIO()
    write_table(pyarrow.Table.from_pylist(rows), stream)
    return stream.getvalue()


def test_all_but_json_arrays_are_read_in_pieces():
    assert {name for name, one in CONTAINERS.items() if not isinstance(one, Streaming)} == {"json"}


@pytest.mark.parametrize("path", ["a.jsonl", "a.json", "a.csv", "a.tsv", "a.txt"])
@given(content=BYTES, sizes=st.lists(st.integers(1, 9), min_size=1, max_size=3))
def test_no_cut_changes_what_is_read(path, content, sizes):
    assume(not content.startswith(b"SQLite"))  # told by 15 bytes, which no first piece is shorter than
    in_pieces, held = outcome(cut(content, [4, *sizes]), path), outcome(content, path)
    if isinstance(held, list):
        assert in_pieces == held
    else:
        assert isinstance(in_pieces, str)  # of two defects the first that is met is told


@pytest.mark.parametrize("path", ["a.jsonl", "a.csv"])
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_a_defect_has_the_same_words_and_line_in_pieces(path, size):
    for content in DEFECTS:
        assert outcome(cut(content, [max(4, size)]), path) == outcome(content, path)


def test_an_overlong_line_is_refused_before_it_is_read_to_its_end(monkeypatch):
    monkeypatch.setattr(limits, "MAX_ROW_BYTES", 100)
    read = []

    def pieces():
        for number in range(1_000):
            read.append(number)
            yield b"x" * 50

    assert "longer than" in outcome(Streamed(50_000, pieces), "a.jsonl")
    assert "longer than" in outcome(Streamed(50_000, pieces), "a.txt")
    assert len(read) < 10


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_what_is_compressed_unfolds_in_pieces(monkeypatch, pack):
    suffix = ".gz" if pack is gzip.compress else ".zst"
    monkeypatch.setattr(decompression, "WHOLE_BYTES", 1_000)
    packed = pack(ROWS)
    inside, bare = opened(cut(packed, [100]), f"a.jsonl{suffix}")
    assert isinstance(inside, Streamed)
    assert (whole(inside), bare) == (ROWS, "a.jsonl")
    assert outcome(cut(packed, [11]), f"a.jsonl{suffix}") == outcome(ROWS, "a.jsonl")
    assert "middle of its" in outcome(cut(packed[:-9], [100]), f"a.jsonl{suffix}")
    monkeypatch.setattr(limits, "MAX_CONTENT_BYTES", len(ROWS) - 1)
    assert "holds more than" in outcome(cut(packed, [100]), f"a.jsonl{suffix}")
    assert "holds more than" in outcome(cut(ROWS, [100]), "a.jsonl")


def test_parquet_is_read_from_a_temporary_file():
    rows = [{"text": f"row {number}"} for number in range(500)]
    content = parquet_bytes(rows)
    assert outcome(cut(content, [1_000]), "a.parquet") == [(number, row) for number, row in enumerate(rows, start=1)]
    assert outcome(cut(content[:-4], [1_000]), "a.parquet") == outcome(content[:-4], "a.parquet")
    assert outcome(cut(b"", [1]), "a.parquet") == []


def test_parquet_may_be_compressed_once_more(monkeypatch):
    content = parquet_bytes([{"text": random.Random(number).randbytes(40).hex()} for number in range(3_000)])
    packed = zstandard.compress(content)
    monkeypatch.setattr(decompression, "WHOLE_BYTES", 1_000)
    pieces = [b"", content[:1_000], b"", content[1_000:], b""]
    in_pieces = Streamed(len(content), lambda: iter(pieces))
    held = outcome(content, "a.parquet")
    assert len(held) == 3_000
    assert b"" not in list(opened(packed, "a.parquet.zst")[0].pieces())
    assert outcome(packed, "a.parquet.zst") == outcome(in_pieces, "a.parquet") == held


def test_a_disk_that_is_too_full_for_a_copy_of_a_parquet_file_is_told(monkeypatch):
    def full(**_):
        raise OSError(28, "No space left on device")

    content = parquet_bytes([{"text": "row"}])
    monkeypatch.setattr(parquet, "TemporaryFile", full)
    told = outcome(cut(content, [100]), "a.parquet")
    assert told.startswith("a.parquet: there is no room for a copy of it on disk (No space left on device); free some")


@pytest.mark.parametrize("path", ["a.csv", "a.tsv"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_empty_lines_before_a_header_are_counted_and_not_held(path, end):
    content = end * 200_000
    tracemalloc.start()
    assert outcome(cut(content, [1 << 16]), path) == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_000_000  # all of them would take 20 MB
    assert outcome(end * 3 + b" " + end * 2 + b"x" + end, path) == [(6, {" ": "x"})]
    assert ":5: the row has 2 fields" in outcome(
        end * 3 + b"text" + end + (b"1\t2" if path == "a.tsv" else b"1,2"), path
    )


@pytest.mark.parametrize("path", ["a.csv", "a.tsv"])
def test_lines_of_spaces_before_a_header_are_held_up_to_a_bound(monkeypatch, path):
    monkeypatch.setattr(csv_file, "_MOST_BLANK", 5)
    assert outcome(b" \n\n" * 2, path) == []
    assert outcome(b" \n\n" * 2 + b"x\n", path) == [(3, {" ": " "}), (5, {" ": "x"})]
    assert ":6: so many blank lines" in outcome(b" \n\n" * 3 + b"x\n", path)
    monkeypatch.setattr(limits, "MAX_ROW_BYTES", 20)
    assert ":3: so many blank lines" in outcome(b"       \n" * 4, path)


@pytest.mark.parametrize("path", ["a.jsonl", "a.csv"])
@given(wanted=st.sets(st.integers(1, 40)))
def test_only_wanted_lines_become_rows(path, wanted):
    header, row = (b"text\n", b"%d\n") if path == "a.csv" else (b"\n", b'{"text": "%d"}\n')
    content = header + b"".join(row % line for line in range(2, 40))
    rows = list(read_rows_at(cut(content, [50]), path, SPEC, wanted.__contains__, CONTAINERS, SHAPES))
    assert [(row.line, row.turns[0].content) for row in rows] == [(n, str(n)) for n in sorted(wanted) if 1 < n < 40]


def test_lines_that_are_not_wanted_are_not_parsed():
    content = b'{"text": "first"}\n' + b"not json\n" * 10 + b'{"text": "last"}\n'
    (row,) = read_rows_at(content, "a.jsonl", SPEC, {12}.__contains__, CONTAINERS, SHAPES)
    assert (row.line, row.turns[0].content) == (12, "last")
