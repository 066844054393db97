from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.errors import EvaluationError

ASK, ANSWER = {"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}
FROM, VALUE = {"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}
TRAINED = [("user", "Q", False), ("assistant", "A", True)]
UNTRAINED = [("user", "Q", False), ("assistant", "A", False)]
TOOLS = [{"type": "function", "function": {"name": "f", "description": None}}]


def said(reader, record, **columns):
    (row,) = reader.rows(json.dumps(record), **columns)
    return [(turn.role, turn.content, turn.trained) for turn in row.turns]


@pytest.mark.parametrize(
    ("record", "turns"),
    [
        # messages
        ({"messages": [ASK, ANSWER]}, TRAINED),
        ({"messages": [ASK, ANSWER, ASK, ANSWER]}, TRAINED + TRAINED),
        ({"messages": [{"role": "developer", "content": "S"}, ASK, ANSWER]}, [("system", "S", False), *TRAINED]),
        ({"messages": [ASK, {**ANSWER, "weight": 0}, ASK, {**ANSWER, "weight": 1}]}, UNTRAINED + TRAINED),
        ({"messages": [ASK, {**ANSWER, "train": False}, ASK, {**ANSWER, "train": True}]}, UNTRAINED + TRAINED),
        ({"messages": [ASK, {**ANSWER, "weight": 0.0}]}, UNTRAINED),
        ({"messages": [ASK, {**ANSWER, "weight": 0.5}]}, TRAINED),
        ({"messages": [ASK]}, TRAINED[:1]),
        ({"messages": [ASK, ANSWER], "system": "S"}, [("system", "S", False), *TRAINED]),
        ({"messages": [ASK, ANSWER], "system": None}, TRAINED),
        (
            {"messages": [ASK, {"role": "assistant", "content": [{"type": "text", "text": "A"}, {"text": "B"}]}]},
            [TRAINED[0], ("assistant", "AB", True)],
        ),
        (
            {"messages": [ASK, {**ANSWER, "reasoning_content": "hm"}]},
            [TRAINED[0], ("assistant", "<think>\nhm\n</think>\n\nA", True)],
        ),
        # sharegpt
        ({"conversations": [FROM, VALUE]}, TRAINED),
        ({"conversations": [FROM, VALUE], "system": "S"}, [("system", "S", False), *TRAINED]),
        (
            {"conversations": [{"from": "system", "value": "T"}, FROM], "system": "S"},
            [("system", "T", False), TRAINED[0]],
        ),
        (
            {"conversations": [FROM, {"from": "function_call", "value": "{}"}, {"from": "observation", "value": "O"}]},
            [TRAINED[0], ("assistant", "{}", True), ("tool", "O", False)],
        ),
        # alpaca
        ({"instruction": "Q", "input": "", "output": "A"}, TRAINED),
        ({"instruction": "Q", "output": "A"}, TRAINED),
        ({"instruction": "Q", "input": "I", "response": "A"}, [("user", "Q\nI", False), TRAINED[1]]),
        ({"instruction": "Q", "input": None, "output": "A", "system": ""}, TRAINED),
        ({"instruction": "Q", "output": "A", "system": "S"}, [("system", "S", False), *TRAINED]),
        ({"instruction": "Q", "output": "A", "history": [["Q", "A"]], "text": "all"}, TRAINED + TRAINED),
        # prompt-completion
        ({"prompt": "Q", "completion": "A"}, TRAINED),
        ({"prompt": "Q", "response": "A", "id": 3}, TRAINED),
        ({"prompt": [ASK, ANSWER, ASK], "completion": [ANSWER]}, UNTRAINED + TRAINED),
        ({"question": "Q", "answer": "A", "id": "q1", "level": 3}, TRAINED),
        # preference
        ({"prompt": "Q", "chosen": "A", "rejected": "B"}, TRAINED),
        ({"prompt": [ASK, ANSWER, ASK], "chosen": [ANSWER], "rejected": [ASK]}, UNTRAINED + TRAINED),
        ({"chosen": [ASK, ANSWER], "rejected": [ASK, ASK]}, TRAINED),
        ({"chosen": [ASK, ANSWER, ASK, ANSWER], "rejected": [ASK, ANSWER, ASK, ASK]}, UNTRAINED + TRAINED),
        ({"chosen": [ASK, ANSWER], "rejected": [ASK, ANSWER]}, TRAINED),
        ({"prompt": "Q", "chosen": [ASK, ANSWER], "rejected": [ASK, ASK], "messages": [ASK, ANSWER]}, TRAINED),
        ({"conversations": [FROM], "chosen": VALUE, "rejected": {"from": "gpt", "value": "B"}}, TRAINED),
        ({"conversations": [FROM, VALUE, FROM], "chosen": VALUE, "rejected": VALUE}, UNTRAINED + TRAINED),
        ({"instruction": "Q", "input": "I", "chosen": "A", "rejected": "B"}, [("user", "Q\nI", False), TRAINED[1]]),
        ({"chosen": "\n\nHuman: Q\n\nAssistant: A", "rejected": "\n\nHuman: Q\n\nAssistant: B"}, TRAINED),
        ({"chosen": "Human: Q\n\nAssistant: A\n\nHuman: Q\n\nAssistant: A"}, UNTRAINED + TRAINED),
        ({"chosen": "\n\nHuman: Q", "rejected": "B"}, [("text", "\n\nHuman: Q", True)]),
        ({"chosen": "See Human: Q\n\nAssistant: A"}, [("text", "See Human: Q\n\nAssistant: A", True)]),
        ({"chosen": "x", "rejected": "y"}, [("text", "x", True)]),
        # unpaired preference
        ({"prompt": "Q", "completion": "A", "label": True}, TRAINED),
        ({"prompt": "Q", "completion": "A", "label": False}, UNTRAINED),
        ({"messages": [ASK, ANSWER, ASK, ANSWER], "label": True}, UNTRAINED + TRAINED),
        ({"conversations": [FROM, VALUE], "kto_tag": False}, UNTRAINED),
        ({"instruction": "Q", "output": "A", "kto_tag": "True"}, TRAINED),
        # a class or a score is not a label
        ({"prompt": "Q", "completion": "A", "label": 0}, TRAINED),
        ({"prompt": "Q", "completion": "A", "label": "benign"}, TRAINED),
        # text
        ({"text": "A", "url": "https://example.org"}, [("text", "A", True)]),
    ],
)
def test_turns(reader, record, turns):
    assert said(reader, record) == turns


def test_a_mapped_number_is_a_label(reader):
    record = {"q": "Q", "a": "A", "score": 0}
    columns = {"prompt": "q", "completion": "a", "label": "score"}
    assert said(reader, record, **columns) == UNTRAINED
    assert said(reader, {**record, "score": 1}, **columns) == TRAINED
    with pytest.raises(EvaluationError, match="neither true nor false"):
        said(reader, {**record, "score": 2}, **columns)
    assert said(reader, {"prompt": "Q", "completion": "A", "label": 0}, format="unpaired-preference") == UNTRAINED


def test_tool_calls_are_text_and_tools_are_compact_json(reader):
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"x": "é"}'}}
    turn = {"role": "assistant", "content": None, "tool_calls": [call, {"name": "g", "arguments": {"y": None}}]}
    record = {"messages": [ASK, turn, {"role": "tool", "content": "R"}, ANSWER], "tools": TOOLS}
    (row,) = reader.rows(json.dumps(record))
    first = '<tool_call>\n{"name": "f", "arguments": {"x": "é"}}\n</tool_call>'
    second = '<tool_call>\n{"name": "g", "arguments": {}}\n</tool_call>'
    assert row.turns[1].content == f"{first}\n{second}"
    assert [turn.trained for turn in row.turns] == [False, True, False, True]
    assert row.tools == '[{"type":"function","function":{"name":"f"}}]'
    (same,) = reader.rows(json.dumps({**record, "tools": json.dumps(TOOLS)}))
    assert same.key == row.key


@pytest.mark.parametrize("tools", [[], "", "  ", None, "[]"])
def test_no_tools_are_the_empty_text(reader, tools):
    assert reader.rows(json.dumps({"messages": [ASK, ANSWER], "tools": tools}))[0].tools == ""


def test_one_row_has_one_key_whatever_its_shape(reader):
    records = [
        {"messages": [ASK, ANSWER]},
        {"conversations": [FROM, VALUE]},
        {"instruction": "Q", "output": "A"},
        {"prompt": "Q", "completion": "A"},
        {"prompt": "Q", "chosen": "A", "rejected": "B"},
        {"prompt": "Q", "completion": "A", "label": True},
    ]
    assert len({reader.rows(json.dumps(record))[0].key for record in records}) == 1


@pytest.mark.parametrize(
    ("record", "what"),
    [
        ({"messages": []}, "empty list"),
        ({"messages": [3]}, "messages[0] is a number"),
        ({"messages": [ASK, {"content": "A"}]}, "messages[1] has no known role"),
        ({"messages": [{"role": "secret role", "content": "A"}]}, "no known role"),
        ({"messages": [{"role": ["user"], "content": "A"}]}, "no known role"),
        ({"messages": [ASK, {"role": "assistant"}]}, "messages[1] has no content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "not text"),
        ({"messages": [{"role": "user", "content": 7}]}, "content of messages[0] is a number"),
        ({"messages": [{**ANSWER, "weight": -1}]}, "weight"),
        ({"messages": [{**ANSWER, "weight": "0"}]}, "weight"),
        ({"messages": [{**ANSWER, "train": 0}]}, "'train'"),
        ({"messages": [{**ANSWER, "tool_calls": "f()"}]}, "tool calls"),
        ({"messages": [{**ANSWER, "tool_calls": [{}]}]}, "no function name"),
        ({"messages": [{**ANSWER, "tool_calls": [{"name": "f", "arguments": "{"}]}]}, "not valid JSON"),
        ({"messages": [ASK], "tools": {"a": 1}}, "'tools' is an object"),
        ({"messages": [ASK], "system": 3}, "'system' is a number"),
        ({"instruction": "Q", "output": "A", "input": 3}, "'input' is a number"),
        ({"instruction": "Q", "output": "A", "history": [["Q"]]}, "history"),
        ({"prompt": "Q", "completion": []}, "empty list"),
        ({"chosen": {"role": "assistant", "content": "A"}}, "no prompt"),
        ({"text": "half \ud83d"}, "surrogate"),
        ({"messages": [ASK], "tools": [{"name": "\ud83d"}]}, "surrogate"),
    ],
)
def test_rows_that_do_not_fit_are_refused_at_their_line(reader, record, what):
    with pytest.raises(EvaluationError) as caught:
        reader.rows("\n" + json.dumps(record))
    assert caught.value.where == "a.jsonl:2"
    assert what in caught.value.what
    assert "secret" not in str(caught.value)


FIRST = [
    {"messages": [ASK, ANSWER]},
    {"conversations": [FROM, VALUE]},
    {"instruction": "Q", "output": "A"},
    {"prompt": "Q", "completion": "A"},
    {"prompt": "Q", "chosen": "A", "rejected": "B"},
    {"prompt": "Q", "completion": "A", "label": True},
    {"text": "A"},
]


@pytest.mark.parametrize("first", FIRST, ids=lambda record: "+".join(record))
@pytest.mark.parametrize("second", [{}, {"other": "x"}, {"messages": None, "text": None}, [], "text", None])
def test_every_row_needs_the_shape_of_the_first(reader, first, second):
    with pytest.raises(EvaluationError) as caught:
        reader.rows(f"{json.dumps(first)}\n{json.dumps(second)}\n")
    assert caught.value.where == "a.jsonl:2"


KEYS = {
    *(name for record in FIRST for name in record),
    *("input", "response", "kto_tag", "question", "answer", "system", "tools", "history"),
    *("role", "from", "content", "value", "weight", "train", "tool_calls", "function"),
}
keys = st.sampled_from(sorted(KEYS))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2) | st.sampled_from(["", "A", "user", "assistant", "gpt", "[]", "{"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(st.dictionaries(keys, values, max_size=6), min_size=1, max_size=3))
def test_any_records_become_rows_or_a_gate_error(reader, records):
    from d2b_gate.core.errors import GateError

    try:
        rows = reader.rows("\n".join(json.dumps(record) for record in records))
    except GateError as error:
        assert error.where.startswith("a.jsonl:")
        assert error.remedy
    else:
        assert len(rows) == len(records)
        assert all(row.turns for row in rows)
