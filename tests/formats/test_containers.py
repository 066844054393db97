from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.errors import EvaluationError
from d2b_gate.formats.containers import csv_file, json_array, jsonl, plain_text, tsv_file

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
encodable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(st.lists(json_values), st.booleans(), st.booleans())
def test_jsonl_gives_back_every_value_at_its_line(values, carriage_returns, ascii_only):
    end = "\r\n" if carriage_returns else "\n"
    lines = [json.dumps(value, ensure_ascii=ascii_only) for value in values]
    content = end.join(lines).encode("utf-8", "replace" if ascii_only else "surrogatepass")
    if b"\xed" in content:
        return  # lone surrogates are not UTF-8; another test refuses them
    found = list(jsonl.records(content, "a.jsonl"))
    assert [record.value for record in found] == values
    assert [record.line for record in found] == list(range(1, len(values) + 1))


def test_jsonl_keeps_unicode_line_separators_inside_a_record():
    content = '{"text": "one\u2028two\u2029three\x85four\x0bfive"}\n{"text": "six"}\n'.replace(
        "\x0b", "\\u000b"
    ).encode()
    values = [record.value for record in jsonl.records(content, "a.jsonl")]
    assert values == [{"text": "one\u2028two\u2029three\x85four\x0bfive"}, {"text": "six"}]


def test_jsonl_skips_blank_lines_and_counts_them():
    content = b'\xef\xbb\xbf\n  \n{"a": 1}\r\n\r\n{"a": 2}'
    assert [(record.value, record.line) for record in jsonl.records(content, "a")] == [({"a": 1}, 3), ({"a": 2}, 5)]


@pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf", b" \r\n\t\n"])
@pytest.mark.parametrize("container", [jsonl, json_array, csv_file, tsv_file, plain_text])
def test_an_empty_file_holds_no_rows(container, content):
    assert list(container.records(content, "a")) == []


@given(st.lists(json_values), st.sampled_from([None, 0, 2]), st.sampled_from(["", "\n", " \r\n "]))
def test_json_array_gives_back_every_value(values, indent, lead):
    content = (lead + json.dumps(values, indent=indent) + lead).encode()
    found = list(json_array.records(content, "a.json"))
    assert [record.value for record in found] == values


@given(st.lists(st.dictionaries(st.text(), st.text(), min_size=1), min_size=1), st.integers(0, 3))
def test_json_array_lines_are_where_the_element_begins(values, blank):
    content = json.dumps(values, indent=1).replace("\n {", "\n" * (blank + 1) + " {").encode()
    lines = content.split(b"\n")
    for record in json_array.records(content, "a.json"):
        assert lines[record.line - 1] == b" {"


def test_json_array_lines_do_not_count_what_only_looks_like_structure():
    content = b'[\n{"a": "]}[{,\\"\\\\"},\n\n{"a": "\\n"}, {"a": 3}\n]\n'
    found = [(record.line, record.value["a"]) for record in json_array.records(content, "a.json")]
    assert found == [(2, ']}[{,"\\'), (4, "\n"), (4, 3)]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"a": 1}', [(1, {"a": 1})]),
        (b'\n{"a":\n 1}\n', [(2, {"a": 1})]),
        (b'{"a": 1}\n{"a": 2}\n', [(1, {"a": 1}), (2, {"a": 2})]),
        (b'{"a": {"b": 1}}\n\n{"a": 2}', [(1, {"a": {"b": 1}}), (3, {"a": 2})]),
        (b"[]", []),
        (b" [ \n ] ", []),
    ],
)
def test_json_reads_an_array_one_object_or_json_lines(content, expected):
    assert [(record.line, record.value) for record in json_array.records(content, "a.json")] == expected


@pytest.mark.parametrize(
    ("content", "where", "what"),
    [
        (b'[{"a": 1},\n{"a": }]', "a.json:2", "Expecting value"),
        (b'[{"a": 1,\n"b": oops}]', "a.json:2", "Expecting value"),
        (b'[{"a": 1},\n]', "a.json:2", "Expecting value"),
        (b'[{"a": 1},,{"a": 2}]', "a.json:1", "Expecting value"),
        (b'[{"a": 1}\n', "a.json:2", "never closed"),
        (b'[{"a": "x]\n', "a.json:2", "never closed"),
        (b'[{"a": 1}]\n\n{"b": 2}', "a.json:3", "follows the JSON array"),
        (b'{"a": 1\n', "a.json:2", "not valid JSON"),
        (b'{"a": 1}\n{"a": \n', "a.json:2", "not valid JSON"),
    ],
)
def test_broken_json_is_refused_at_its_line(content, where, what):
    with pytest.raises(EvaluationError) as caught:
        list(json_array.records(content, "a.json"))
    assert caught.value.where == where
    assert what in caught.value.what


@given(st.lists(st.lists(encodable, min_size=3, max_size=3), min_size=1), st.sampled_from([",", "\t"]))
def test_csv_gives_back_every_cell(table, delimiter):
    table = [[cell.replace("\r", " ") for cell in cells] for cells in table]
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow("abc")
    writer.writerows(table)
    container = csv_file if delimiter == "," else tsv_file
    found = list(container.records(stream.getvalue().encode(), "a.csv"))
    assert [list(record.value.values()) for record in found] == table
    begins = [2 + index + sum("".join(cells).count("\n") for cells in table[:index]) for index in range(len(table))]
    assert [record.line for record in found] == begins


@pytest.mark.parametrize(
    ("content", "where", "what"),
    [
        (b"a,b\n1,2\n3\n", "a.csv:3", "1 fields"),
        (b"a,b\n1,2,3\n", "a.csv:2", "3 fields"),
        (b"a,a\n1,2\n", "a.csv:1", '"a" twice'),
        (b'a,b\n1,"2\n3,4\n', "a.csv:2", "not valid CSV"),
        (b'a,b\n"1"x,2\n', "a.csv:2", "not valid CSV"),
        (b"a,b\n\xff,2\n", "a.csv:2", "not UTF-8"),
    ],
)
def test_broken_csv_is_refused_at_its_line(content, where, what):
    with pytest.raises(EvaluationError) as caught:
        list(csv_file.records(content, "a.csv"))
    assert caught.value.where == where
    assert what in caught.value.what


def test_csv_skips_blank_lines_and_takes_long_fields():
    content = b"a,b\r\n\r\n1," + b"x" * 200_000 + b"\r\n"
    (record,) = csv_file.records(content, "a.csv")
    assert (record.line, record.value["a"], len(record.value["b"])) == (3, "1", 200_000)


def test_plain_text_is_one_row():
    (record,) = plain_text.records("\ufeffone\n\ntwo\n".encode(), "a.txt")
    assert (record.line, record.value) == (1, {"text": "one\n\ntwo\n"})


def test_parquet_yields_numbers_for_lines(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet as writer

    from d2b_gate.formats.containers import parquet

    values = [{"messages": [{"role": "user", "content": str(number), "name": None}]} for number in range(150)]
    writer.write_table(pyarrow.Table.from_pylist(values), tmp_path / "a.parquet")
    found = list(parquet.records((tmp_path / "a.parquet").read_bytes(), "a.parquet"))
    assert [record.line for record in found] == list(range(1, 151))
    assert [record.value["messages"][0]["content"] for record in found] == [str(number) for number in range(150)]
    assert list(parquet.records(b"", "a.parquet")) == []


@pytest.mark.parametrize("cut", [0, 40])
def test_broken_parquet_is_refused(tmp_path, cut):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet as writer

    from d2b_gate.formats.containers import parquet

    writer.write_table(pyarrow.table({"text": ["a" * 100]}), tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    broken = content[:-cut] if cut else b"not parquet at all"
    with pytest.raises(EvaluationError, match="Parquet"):
        list(parquet.records(broken, "a.parquet"))
