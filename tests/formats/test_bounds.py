"""Bounds hold before anything is parsed."""

from __future__ import annotations

import gzip
import json
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.errors import EvaluationError
from d2b_gate.formats import decompression, limits
from d2b_gate.formats.decompression import decompressed
from d2b_gate.formats.json_text import elements, parse

ROW = b'{"text": "hello"}\n'


def refusal(call, *arguments, **named):
    with pytest.raises(EvaluationError) as caught:
        list(call(*arguments, **named))
    return caught.value


def test_a_line_of_100_mb_is_refused_before_it_is_parsed(reader):
    content = ROW + b'{"text": "' + b"x" * 100_000_000 + b'"}\n'
    started = time.perf_counter()
    error = refusal(reader.rows, content)
    assert time.perf_counter() - started < 5
    assert error.where == "a.jsonl:2"
    assert "16 MiB" in error.what


@pytest.mark.parametrize("path", ["a.json", "a.csv", "a.txt", "a.tsv"])
def test_overlong_rows_are_refused_in_every_text_container(reader, monkeypatch, path):
    monkeypatch.setattr(limits, "MAX_ROW_BYTES", 100)
    long = b"x" * 200
    content = {"a.json": b'[{"text": "' + long + b'"}]'}.get(path, b"text\n" + long + b"\n")
    assert "longer than" in refusal(reader.rows, content, path).what


@pytest.mark.parametrize("depth", [limits.MAX_DEPTH + 1, sys.getrecursionlimit() * 10])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_deep_nesting_is_refused_and_never_a_recursion_error(reader, depth, opening):
    closing = "]" if opening == "[" else "}"
    deep = opening * depth + "1" + closing * depth
    for path, content in {"a.jsonl": f'\n{{"text": {deep}}}', "a.json": f'[\n{{"text": {deep}}}]'}.items():
        error = refusal(reader.rows, content, path)
        assert "deeper" in error.what
        assert error.where == f"{path}:2"


def test_nesting_up_to_the_bound_is_read():
    deep = b"[" * limits.MAX_DEPTH + b"]" * limits.MAX_DEPTH
    value = parse(deep, "a", 1)
    for _ in range(limits.MAX_DEPTH - 1):
        (value,) = value
    assert value == []


def test_brackets_in_text_are_not_nesting():
    text = "[{" * 500 + '"' + "\\"
    assert parse(json.dumps({"text": text}).encode(), "a", 1) == {"text": text}


@given(st.lists(st.text(alphabet='a"\\[]{},\n', max_size=20), max_size=5))
def test_elements_are_cut_where_the_values_are(texts):
    content = json.dumps(texts).encode()
    spans = [content[start:end] for start, end in elements(content, 1, "a")]
    assert [json.loads(span) for span in spans if span.strip()] == texts


def test_many_escapes_cost_linear_time():
    content = b'["' + b'\\"' * 2_000_000 + b'"]'
    started = time.perf_counter()
    assert len(list(elements(content, 1, "a"))) == 1
    assert time.perf_counter() - started < 10


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', '"c" occurs twice'),
        (b'{"a": 1' + b"0" * 5000 + b"}", "4300"),
        (b'{"a": "x\x01"}', "control character"),
        (b'{"a": "\xe9"}', "not UTF-8 (byte 0xe9)"),
        (b"{'a': 1}", "property name"),
    ],
)
def test_strict_json(reader, text, what):
    error = refusal(reader.rows, ROW + text + b"\n" + ROW)
    assert error.where == "a.jsonl:2"
    assert what.lower() in error.what.lower()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ('{"text": "hi"}'.encode("utf-16"), "UTF-16"),
        ('{"text": "hi"}'.encode("utf-32"), "UTF-32"),
        ('{"text": "hi"}'.encode("utf-16-le"), "NUL"),
        (gzip.compress(ROW, mtime=0), "gzip"),
        (b"PAR1\x15\x04", "Parquet"),
        (b"PK\x03\x04abc", "zip"),
        (b"SQLite format 3\0", "SQLite"),
        (ROW + b'{"text": "\0"}', "NUL"),
    ],
)
def test_binary_in_disguise_is_named(reader, content, what):
    assert what in refusal(reader.rows, content).what


def test_an_unknown_suffix_lists_the_known_ones(reader):
    error = refusal(reader.rows, ROW, "a.xlsx")
    assert ".jsonl" in error.remedy
    assert reader.rows(ROW, "a.xlsx", format="jsonl")[0].line == 1


def compress_zstd(content: bytes) -> bytes:
    return pytest.importorskip("zstandard").ZstdCompressor().compress(content)


COMPRESS = {".gz": gzip.compress, ".zst": compress_zstd}


@pytest.mark.parametrize("suffix", COMPRESS)
def test_compressed_files_are_read_whole(reader, suffix):
    several = b"".join(COMPRESS[suffix](ROW * count) for count in (1, 2, 3))
    rows = reader.rows(several, f"a.jsonl{suffix}")
    assert [row.line for row in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[0].path == f"a.jsonl{suffix}"
    assert reader.rows(b"", f"a.jsonl{suffix}") == []
    assert reader.rows(COMPRESS[suffix](b""), f"a.jsonl{suffix}") == []


@pytest.mark.parametrize("suffix", COMPRESS)
def test_a_truncated_stream_is_refused_wherever_it_is_cut(suffix):
    whole = COMPRESS[suffix](ROW * 50)
    assert decompressed(whole, f"a{suffix}") == (ROW * 50, "a")
    for cut in range(1, len(whole)):
        with pytest.raises(EvaluationError):
            decompressed(whole[:cut], f"a{suffix}")


@pytest.mark.parametrize("suffix", COMPRESS)
@pytest.mark.parametrize("tail", [b"garbage", b"{}"])
def test_what_follows_a_stream_is_refused(suffix, tail):
    with pytest.raises(EvaluationError):
        decompressed(COMPRESS[suffix](ROW) + tail, f"a{suffix}")


def test_many_members_cost_linear_time():
    member = gzip.compress(ROW)
    started = time.perf_counter()
    assert decompressed(member * 100_000, "a.gz") == (ROW * 100_000, "a")
    assert time.perf_counter() - started < 10


@given(st.binary(max_size=3000), st.integers(1, 200))
def test_gzip_chunks_end_anywhere(content, chunk):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decompression, "_GZIP_CHUNK", chunk)
        patch.setattr(decompression, "_GZIP_STEP", chunk)
        assert decompressed(gzip.compress(content) * 2, "a.gz") == (content * 2, "a")


def test_gzip_padding_is_allowed():
    assert decompressed(gzip.compress(ROW) + b"\0" * 512, "a.gz") == (ROW, "a")


@pytest.mark.parametrize("suffix", COMPRESS)
def test_a_bomb_is_refused_while_it_unfolds(suffix):
    bomb = COMPRESS[suffix](b"\0" * (256 << 20))
    with pytest.raises(EvaluationError, match="bomb"):
        decompressed(bomb, f"a{suffix}")


@pytest.mark.parametrize("suffix", ["", *COMPRESS])
def test_the_size_of_a_file_is_bounded(monkeypatch, suffix):
    monkeypatch.setattr(limits, "MAX_CONTENT_BYTES", 1000)
    content = bytes(range(256)) * 5
    with pytest.raises(EvaluationError, match="holds more than"):
        decompressed(COMPRESS[suffix](content) if suffix else content, f"a{suffix}")


def test_a_parquet_footer_that_declares_too_much_is_refused(tmp_path, monkeypatch):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet as writer

    from d2b_gate.formats.containers import parquet

    writer.write_table(pyarrow.table({"text": ["a" * 50_000] * 40}), tmp_path / "a", use_dictionary=False)
    content = (tmp_path / "a").read_bytes()
    assert len(list(parquet.records(content, "a"))) == 40
    monkeypatch.setattr(limits, "RATIO_FREE_BYTES", 1000)
    monkeypatch.setattr(limits, "MAX_RATIO", 2)
    assert "bomb" in refusal(parquet.records, content, "a").what
    monkeypatch.setattr(limits, "MAX_CONTENT_BYTES", 1000)
    assert "declares" in refusal(parquet.records, content, "a").what


def test_a_parquet_dictionary_that_repeats_a_huge_value_is_refused(tmp_path, monkeypatch):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet as writer

    from d2b_gate.formats.containers import parquet

    writer.write_table(pyarrow.table({"text": ["a" * 50_000] * 4000}), tmp_path / "a")
    content = (tmp_path / "a").read_bytes()
    monkeypatch.setattr(limits, "MAX_CONTENT_BYTES", 20_000_000)
    assert "unfold" in refusal(parquet.records, content, "a").what
