from __future__ import annotations

import urllib.request

import pytest

from d2b_gate.core.errors import UsageError
from d2b_gate.formats.interface import Record
from d2b_gate.formats.row_schema import violations

SCHEMA = {
    "type": "object",
    "required": ["messages", "id"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "integer"},
        "messages": {"type": "array", "items": {"properties": {"content": {"type": "string", "maxLength": 5}}}},
    },
}


def broken(value, schema=SCHEMA):
    return list(violations([Record(value, 7)], schema, "schemas/row.json"))


def test_a_row_that_fits_breaks_nothing():
    assert broken({"id": 1, "messages": [{"content": "short"}]}) == []


def test_violations_name_the_place_and_the_rule_and_not_the_text():
    found = broken({"id": "secret id", "messages": [{"content": "ok"}, {"content": "secret words"}]})
    assert found == [
        (7, 'the row["id"] breaks the rule type: "integer"'),
        (7, 'the row["messages"][1]["content"] breaks the rule maxLength: 5'),
    ]


@pytest.mark.parametrize(
    ("samples", "place"),
    [("none", "[...]"), ("redacted", "[a key of 12 characters]"), ("full", '["secret words"]')],
)
def test_a_key_that_the_schema_does_not_name_is_text_of_the_row(samples, place):
    schema = {"properties": {"tags": {"additionalProperties": {"type": "string"}}}}
    record = Record({"tags": {"secret words": 1}}, 7)
    ((_, message),) = violations([record], schema, "schemas/row.json", samples)
    assert message == f'the row["tags"]{place} breaks the rule type: "string"'


def test_missing_and_surplus_fields():
    messages = [message for _, message in broken({"secret": 1})]
    assert messages == [
        'the row breaks the rule required: ["messages", "id"]',
        "the row breaks the rule additionalProperties: false",
    ]


def test_hostile_keys_are_made_printable():
    schema = {"additionalProperties": {"type": "string"}}
    ((_, message),) = violations([Record({"a\x1b]0;\u202e": 1}, 7)], schema, "schemas/row.json", "full")
    assert message.isprintable()


def test_long_rules_are_named_without_their_value():
    assert broken("x", {"enum": list(range(100))}) == [(7, "the row breaks the rule enum")]
    assert broken("x", {"properties": {}, "not": {}}) == [(7, "the row breaks the rule not: {}")]
    assert broken({"a": 1}, {"properties": {"a": False}}) == [(7, "the row is not allowed")]


@pytest.mark.parametrize(
    ("schema", "what"),
    [
        ({"type": "strnig"}, "not valid JSON Schema"),
        ({"$ref": "https://example.org/schema.json"}, "does not hold"),
        ({"$ref": "file:///etc/passwd"}, "does not hold"),
        ({"$ref": "#/$defs/absent"}, "does not hold"),
        ({"$ref": "#"}, "without end"),
    ],
)
def test_schemas_that_cannot_be_used(schema, what, monkeypatch):
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_: pytest.fail("a reference was fetched"))
    with pytest.raises(UsageError, match=what) as caught:
        broken({"id": 1}, schema)
    assert caught.value.where == "schemas/row.json"
