import json
from copy import deepcopy
from importlib.resources import files

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.wire import verdict_from_mapping, verdict_to_mapping

from .strategies import verdicts
from .verdicts import EDITS, ERROR, EXAMPLES, FAILED, QUIET, SINCE, WAIVED, verdict

SCHEMA = json.loads(files("d2b_gate.reports").joinpath("result.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - {"hostile"}))
def test_every_example_is_valid(name):
    VALIDATOR.validate(verdict_to_mapping(EXAMPLES[name]))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(verdicts)
def test_every_verdict_is_valid(found):
    VALIDATOR.validate(verdict_to_mapping(found))


def _tables(node):
    """Every table below a JSON value."""
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _tables(inner)


OPTIONAL = {
    *("deferred", "since_baseline", "target", "max_level", "budget_delta", "owner", "why", "origin"),
    *("rows_hash", "waived_by", "paths", "data", "policy_changes", "old", "new", "where"),
    *("sayings", "tokens", "doses", "views", "raw_delta", "samples", "base_commit", "commit"),
}


def test_a_key_too_many_or_too_few_is_invalid_everywhere():
    whole = verdict_to_mapping(_everything())
    for index, table in enumerate(_tables(whole)):
        if table is not whole["provenance"]["versions"]:
            _require_invalid(whole, index, lambda changed: changed.update(novelty=1))
        for key in set(table) - OPTIONAL - set(whole["provenance"]["versions"]):
            _require_invalid(whole, index, lambda changed, key=key: changed.pop(key))


def _everything():
    full = EXAMPLES["row-schema"]
    found = (FAILED, ERROR, WAIVED, QUIET)
    extra = {"row_findings": full.row_findings[:1], "since": (SINCE,), "policy_changes": EDITS[:1]}
    return verdict(*found, notes=("n",), deferred="d", **extra)


def _require_invalid(whole, index, change):
    copy = deepcopy(whole)
    change(list(_tables(copy))[index])
    assert not VALIDATOR.is_valid(copy)
    with pytest.raises(EvaluationError):
        verdict_from_mapping(copy)


def test_every_property_is_described():
    for table in _tables(SCHEMA):
        for name, inner in table.get("properties", {}).items() if isinstance(table.get("properties"), dict) else ():
            described = "description" in inner or "$ref" in inner
            assert described, name


leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_what_the_reader_accepts_the_schema_accepts(data):
    mapping = deepcopy(verdict_to_mapping(_everything()))
    table = data.draw(st.sampled_from(list(_tables(mapping))))
    table[data.draw(st.sampled_from(sorted(table)))] = data.draw(leaves)
    try:
        verdict_from_mapping(mapping)
    except EvaluationError:
        return
    VALIDATOR.validate(mapping)
