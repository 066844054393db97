import dataclasses
import sys

import jsonschema
import pytest

from d2b_gate.core import rules as core
from d2b_gate.policy import models
from d2b_gate.policy.schema import json_schema
from tests.policy.support import MINIMAL, policies_dir
from tests.policy.test_read import FULL

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PAIRS = [
    (models.ModelTable, core.ModelSpec),
    (models.MethodTable, core.MethodSpec),
    (models.RegimeTable, core.Regime),
    (models.BackendTable, core.BackendSpec),
    (models.BudgetTable, core.Budget),
    (models.DatasetTable, core.DatasetSpec),
    (models.RuleTable, core.Rule),
    (models.InconclusiveTable, core.Inconclusive),
    (models.UnavailableTable, core.Unavailable),
]


@pytest.mark.parametrize(("table", "spec"), PAIRS, ids=lambda kind: kind.__name__)
def test_tables_and_core_types_have_the_same_fields(table, spec):
    assert set(table.model_fields) == {field.name for field in dataclasses.fields(spec)} - {"origin"}


@pytest.mark.parametrize(
    "table", [pair[0] for pair in PAIRS if pair[0] not in (models.DatasetTable, models.RuleTable)], ids=str
)
def test_defaults_are_those_of_the_core_types(table):
    spec = dict(PAIRS)[table]
    assert table().model_dump() == dataclasses.asdict(spec())


def objects(schema):
    for definition in (schema, *schema["$defs"].values()):
        yield definition["title"], definition


def test_every_table_is_closed_and_every_field_described():
    schema = json_schema()
    for title, definition in objects(schema):
        assert definition["additionalProperties"] is False, title
        assert definition["description"], title
        for name, field in definition["properties"].items():
            table = field.get("$ref", "").removeprefix("#/$defs/")  # a table that says the same says it once
            assert field.get("description") or schema["$defs"][table]["description"], (title, name)


def test_the_schema_is_valid_and_accepts_what_the_reader_accepts():
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for text in (FULL, MINIMAL, (policies_dir() / "default.toml").read_text(encoding="utf-8")):
        jsonschema.validate(tomllib.loads(text), schema)


@pytest.mark.parametrize("text", ["", "schema = 2", "schema = 1\ntypo = 1", "schema = 1\n[[rule]]\nfail_delta = 1"])
def test_the_schema_refuses_what_the_reader_refuses(text):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(text), json_schema())


def test_an_override_needs_its_name_only():
    jsonschema.validate(
        {"schema": 1, "rule": [{"id": "a", "fail_delta": 1}], "dataset": [{"name": "b"}]}, json_schema()
    )
