from __future__ import annotations

import json
import subprocess
import sys

import pytest

from d2b_gate.core.errors import EvaluationError, UsageError

PAIR = '{"prompt": "Q", "completion": "A"}\n'


def usage(reader, *arguments, **named):
    with pytest.raises(UsageError) as caught:
        reader.rows(*arguments, **named)
    return caught.value


@pytest.mark.parametrize("format", ["auto", "jsonl", "prompt-completion", "jsonl+prompt-completion", "json"])
def test_format_names_a_container_a_shape_or_both(reader, format):
    assert len(reader.rows(PAIR * 2, format=format)) == 2


@pytest.mark.parametrize("format", ["", "jsonlines", "json+", "json+csv", "alpaca+text", "json+alpaca+text", "+"])
def test_unknown_formats_are_refused_where_the_policy_names_them(reader, format):
    error = usage(reader, PAIR, format=format)
    assert error.where == "d2b-gate.toml:7"
    assert "prompt-completion" in error.remedy
    assert "jsonl" in error.remedy


def test_a_named_shape_is_not_guessed(reader):
    record = json.dumps({"instruction": "Q", "output": "A", "text": "T"})
    assert [turn.role for turn in reader.rows(record, format="text")[0].turns] == ["text"]
    with pytest.raises(EvaluationError, match="'text' is missing"):
        reader.rows(PAIR, format="text")


def test_an_unknown_shape_shows_the_keys_and_never_the_text(reader):
    error = usage(reader, '\n{"Question": "hidden words", "Reply\\u202e": "more words", "n": 1}\n')
    assert error.where == "a.jsonl:2"
    assert '"Question", "Reply\\u202e", "n"' in error.what
    assert 'columns = { prompt = "Question", completion = "Reply\\u202e" }' in error.remedy
    assert "words" not in str(error)


def test_many_or_long_keys_are_shortened(reader):
    error = usage(reader, json.dumps({f"{number:03}" + "k" * 500: "v" for number in range(300)}))
    assert "and 280 more" in error.what
    assert len(str(error)) < 3000


@pytest.mark.parametrize("record", [{}, {"n": 1}, {"a": {"b": {"c": {"d": {"e": "deep"}}}}}])
def test_a_suggestion_is_made_even_where_there_is_no_text(reader, record):
    assert "columns = {" in usage(reader, json.dumps(record)).remedy


def test_columns_name_keys_and_paths(reader):
    record = {"q.a": "Q", "turns": [{"text": ["zero", "A"]}]}
    (row,) = reader.rows(json.dumps(record), prompt="q.a", completion="turns.0.text.1")
    assert [turn.content for turn in row.turns] == ["Q", "A"]


def test_with_columns_only_the_mapped_fields_are_seen(reader):
    record = {"instruction": "I", "output": "O", "system": "S", "messages": []}
    (row,) = reader.rows(json.dumps(record), prompt="instruction", completion="output")
    assert [(turn.role, turn.content) for turn in row.turns] == [("user", "I"), ("assistant", "O")]


def test_columns_of_no_one_shape_are_refused(reader):
    error = usage(reader, PAIR, prompt="a", conversations="b", text="c")
    assert error.where == "d2b-gate.toml:7"
    error = usage(reader, PAIR, promt="a")
    assert '"promt"' in error.what
    assert "prompt" in error.remedy


def test_columns_that_the_row_lacks_are_the_policy_s_mistake(reader):
    error = usage(reader, '{"question": "Q", "answer": "A"}', prompt="query", completion="answer")
    assert error.where == "a.jsonl:1"
    assert "policy's columns" in error.what


def test_a_later_row_without_a_mapped_column_is_malformed(reader):
    content = '{"q": "Q", "a": "A"}\n{"q": "Q"}\n'
    with pytest.raises(EvaluationError) as caught:
        reader.rows(content, prompt="q", completion="a")
    assert caught.value.where == "a.jsonl:2"


def test_question_and_answer_are_taken_only_where_nothing_else_is_text(reader):
    assert reader.rows('{"question": "Q", "answer": "A", "topic": "maths"}')
    usage(reader, '{"question": "Q", "answer": "A", "rationale": "because of it"}')
    usage(reader, '{"question": "Q", "answer": "A", "choices": ["A", "B"]}')


def test_records_are_parsed_and_not_shaped(reader):
    records = reader.records('[1,\n{"x": null}]', "a.json", format="json+alpaca")
    assert [(record.value, record.line) for record in records] == [(1, 1), ({"x": None}, 2)]


def test_hostile_paths_are_made_printable(reader):
    error = usage(reader, '{"n": "x"}', path="a\x1b[31m\n.jsonl")
    assert error.where == "a\\u001b[31m\\u000a.jsonl:1"


def test_rows_are_read_one_by_one(reader):
    from d2b_gate.core.rules import DatasetSpec
    from d2b_gate.formats.reading import read_rows

    rows = read_rows((PAIR + "broken").encode(), "a.jsonl", DatasetSpec("d", ()), reader.containers, reader.shapes)
    assert next(rows).line == 1
    with pytest.raises(EvaluationError):
        next(rows)


def test_a_suggestion_is_toml(reader):
    tomllib = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
    error = usage(reader, '{"my \\"question\\"": "Q", "answer\\\\": "A"}')
    line = error.remedy.partition("example: ")[2]
    assert tomllib.loads(line) == {"columns": {"prompt": 'my "question"', "completion": "answer\\"}}


def test_a_missing_library_is_named_with_the_command(reader, monkeypatch):
    for library, path in {"zstandard": "a.jsonl.zst", "pyarrow": "a.parquet"}.items():
        monkeypatch.setitem(sys.modules, library, None)
        with pytest.raises(EvaluationError) as caught:
            reader.rows(b"some bytes", path)
        assert caught.value.remedy == f"run: pip install {library}"


def test_importing_the_readers_imports_no_optional_library():
    heavy = "{'pyarrow', 'zstandard', 'jsonschema', 'numpy', 'pydantic'}"
    modules = "d2b_gate.formats.reading, d2b_gate.formats.row_schema, d2b_gate.formats.containers.parquet"
    code = f"import sys, {modules}; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
