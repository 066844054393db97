"""Rows taken out of files: what is left reads as the other rows, and no other byte has changed."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.rules import DatasetSpec
from d2b_gate.formats.containers import csv_file, json_array, jsonl, plain_text, tsv_file
from d2b_gate.formats.cutting import uncuttable, without_rows
from tests.formats.conftest import CONTAINERS

BOM = b"\xef\xbb\xbf"
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
values = st.dictionaries(st.sampled_from(["prompt", "completion", 'a"[,]{}']), texts | st.lists(texts), max_size=3)
blank = st.sampled_from(["", " ", "\n", "\r\n", "\t \n"])


def left(container, content, path, gone):
    """The records before and after; what is left of the bytes."""
    before = [record.value for record in container.records(content, path)]
    kept = container.without(content, path, gone)
    after = [record.value for record in container.records(kept, path)]
    assert after == [value for number, value in enumerate(before) if number not in gone]
    return kept


def some_of(draw, count):
    return draw(st.sets(st.integers(0, count - 1))) if count else set()


@given(st.data(), st.lists(values, max_size=8), st.booleans(), st.booleans())
def test_jsonl(data, rows, marked, ended):
    pieces, lines = [BOM if marked else b""], []
    for row in rows:
        pieces.append(data.draw(st.sampled_from([b"", b"\n", b" \r\n"])))
        lines.append(len(pieces))
        pieces.append(json.dumps(row).encode() + data.draw(st.sampled_from([b"\n", b"\r\n", b" \n"])))
    if lines and not ended:
        pieces[-1] = pieces[-1].rstrip()
    gone = some_of(data.draw, len(rows))
    kept = left(jsonl, b"".join(pieces), "a.jsonl", gone)
    away = {lines[number] for number in gone}
    assert kept == b"".join(piece for index, piece in enumerate(pieces) if index not in away)


@given(st.data(), st.lists(values, max_size=8), st.booleans())
def test_a_json_array(data, rows, marked):
    around = [data.draw(blank) for _ in range(2)]
    parts = [(data.draw(blank), json.dumps(row), data.draw(blank)) for row in rows]
    text = around[0] + "[" + ",".join("".join(part) for part in parts) + "]" + around[1]
    content = (BOM if marked else b"") + text.encode()
    gone = some_of(data.draw, len(rows))
    kept = left(json_array, content, "a.json", gone)
    assert (kept == content) == (not gone)
    inside = [part for number, part in enumerate(parts) if number not in gone]
    if inside:
        inside[-1] = (*inside[-1][:2], parts[-1][2])
    elif gone:
        inside = [("", "", parts[-1][2])]
    assert kept.removeprefix(BOM).decode() == around[0] + "[" + ",".join("".join(p) for p in inside) + "]" + around[1]


def test_a_json_array_keeps_its_look():
    content = b'[\n  {"text": "a"},\n  {"text": "b"},\n  {"text": "c"}\n]\n'
    assert json_array.without(content, "a.json", {1}) == b'[\n  {"text": "a"},\n  {"text": "c"}\n]\n'
    assert json_array.without(content, "a.json", {0, 2}) == b'[\n  {"text": "b"}\n]\n'
    assert json_array.without(content, "a.json", {0, 1, 2}) == b"[\n]\n"


def test_elements_on_one_line_are_told_apart():
    assert json_array.without(b'[{"text":"a"},{"text":"b"},{"text":"a"}]', "a.json", {2}) == (
        b'[{"text":"a"},{"text":"b"}]'
    )


def test_a_json_file_of_one_object_and_of_lines():
    assert json_array.without(b'{"text": "a"}\n', "a.json", {0}) == b"\n"
    assert json_array.without(b'{"text": "a"}\n', "a.json", ()) == b'{"text": "a"}\n'
    assert json_array.without(b'{"text": "a"}\n{"text": "b"}\n', "a.json", {0}) == b'{"text": "b"}\n'


@pytest.mark.parametrize(("container", "delimiter"), [(csv_file, ","), (tsv_file, "\t")])
@given(data=st.data(), rows=st.lists(st.tuples(texts, texts), max_size=8), marked=st.booleans(), ended=st.booleans())
def test_delimited_lines(container, delimiter, data, rows, marked, ended):
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    lines = [_line(("a", "b"), delimiter, end), *(_line(row, delimiter, end) for row in rows)]
    pieces = [piece for line in lines for piece in (line, data.draw(st.sampled_from([b"", end.encode()])))]
    if not ended:
        pieces = [*pieces[:-2], pieces[-2].removesuffix(end.encode())]
    content = (BOM if marked else b"") + b"".join(pieces)
    gone = some_of(data.draw, len(rows))
    kept = left(container, content, "a.csv", gone)
    away = {2 * number + 2 for number in gone}
    assert kept.removeprefix(BOM) == b"".join(piece for index, piece in enumerate(pieces) if index not in away)
    assert kept.startswith(BOM) == marked


def _line(cells, delimiter, end):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL).writerow(cells)
    return out.getvalue().encode()


def test_plain_text_is_one_row():
    assert plain_text.without(b"a\nb\n", "a.txt", {0}) == b""
    assert plain_text.without(b"a\nb\n", "a.txt", ()) == b"a\nb\n"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("a.jsonl", ""),
        ("a.CSV", ""),
        ("a.jsonl.gz", "is compressed"),
        ("a.json.ZST", "is compressed"),
        ("a.parquet", "is not a text file of rows"),
    ],
)
def test_which_files_can_be_cut(path, why):
    spec = DatasetSpec("sft", ("**",))
    assert uncuttable(path, spec, CONTAINERS) == why
    if why:
        with pytest.raises(EvaluationError, match="no rows can be taken out"):
            without_rows(b"", path, spec, (), CONTAINERS)
    else:
        assert without_rows(b"", path, spec, (), CONTAINERS) == b""


def test_the_policy_may_name_the_container():
    spec = DatasetSpec("sft", ("**",), format="json+text")
    assert without_rows(b'[{"text": "a"}]', "rows.dat", spec, {0}, CONTAINERS) == b"[]"
