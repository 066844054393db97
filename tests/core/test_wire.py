import json
import math
from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from d2b_gate.core import untrusted, wire
from d2b_gate.core.errors import EvaluationError, Exit
from d2b_gate.core.wire import verdict_from_json, verdict_from_mapping, verdict_to_mapping
from tests.reports.strategies import verdicts
from tests.reports.verdicts import ERROR, EXAMPLES, FAILED, QUIET, verdict

generous = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@generous
@given(verdicts)
def test_a_verdict_survives_the_wire(found):
    content = json.dumps(verdict_to_mapping(found), allow_nan=False).encode()
    assert verdict_from_json(content) == found


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_survives_the_wire(name):
    mapping = json.loads(json.dumps(verdict_to_mapping(EXAMPLES[name])))
    if name == "hostile":  # its side and basis are words that no reader accepts
        with pytest.raises(EvaluationError, match="expected one of added, removed"):
            verdict_from_mapping(mapping)
    else:
        assert verdict_from_mapping(mapping) == EXAMPLES[name]


def test_absence_is_an_absent_key():
    rule = verdict_to_mapping(verdict(QUIET))["findings"][0]["rule"]
    assert rule.keys().isdisjoint({"max_level", "target", "owner", "why", "origin"})
    assert "deferred" not in verdict_to_mapping(verdict())
    assert verdict_to_mapping(verdict(ERROR))["findings"][0]["predicted"]["shift"] == {
        "unmeasured": "neither state was measured"
    }


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 1e300])
def test_a_number_that_no_result_can_hold_is_an_error(number):
    broken = replace(FAILED, shift=replace(FAILED.shift, low=number))
    with pytest.raises(EvaluationError, match="which a result cannot hold") as raised:
        verdict_to_mapping(verdict(broken))
    assert raised.value.exit is Exit.UNEVALUATED


def test_only_an_absent_ceiling_is_left_out():
    broken = replace(FAILED, rule=replace(FAILED.rule, max_level=-math.inf))
    with pytest.raises(EvaluationError, match="which a result cannot hold"):
        verdict_to_mapping(verdict(broken))


def test_another_schema_version_is_refused_with_what_to_do():
    mapping = verdict_to_mapping(verdict(QUIET)) | {"schema": "d2b-gate.result/2", "novelty": 1}
    with pytest.raises(EvaluationError) as raised:
        verdict_from_mapping(mapping)
    assert str(raised.value) == (
        "schema: the result has the schema 'd2b-gate.result/2', and this version reads only 'd2b-gate.result/1'; "
        "render it with the d2b-gate that wrote it, or run the check again"
    )


BROKEN = {
    "exit code": (("exit_code",), 0, "exit_code: the result cannot be read: its findings mean exit code 1"),
    "count": (("counts", "fail"), 0, "counts.fail: the result cannot be read: 1 of its findings have this status"),
    "truth for a number": (("seconds",), True, "seconds: the result cannot be read: expected a number, found True"),
    "text for a number": (("seconds",), "1", "expected a number, found '1'"),
    "not a number": (("seconds",), math.nan, "not finite"),
    "infinity": (("findings", 0, "predicted", "shift", "p"), math.inf, "not finite"),
    "huge integer": (("seconds",), 10**5000, "too large"),
    "null": (("deferred",), None, "deferred: the result cannot be read: expected a text, found None"),
    "negative count": (("rows", "before"), -1, "rows.before: .*expected a count"),
    "fraction of a row": (("rows", "before"), 1.5, "expected a whole number, found 1.5"),
    "huge count": (("rows", "before"), 10**5000, "too large"),
    "number for a truth": (("findings", 0, "blocks"), 1, "expected true or false, found 1"),
    "status": (("findings", 0, "status"), "splendid", r"findings\[0\].status: .*expected one of fail, error"),
    "unit": (("findings", 0, "unit"), "furlong", "expected one of share, nats"),
    "direction": (("findings", 0, "rule", "direction"), "up", "expected one of increase"),
    "table for a list": (("notes",), {}, "notes: .*expected a list, found a table"),
    "list for a table": (("rows",), [], "rows: .*expected a table, found a list"),
    "long text": (("fingerprint",), "x" * 100_001, "100001 characters are more than the 100000"),
    "long list": (("notes",), ["x"] * 100_001, "100001 entries are more than"),
    "unknown key": (("rows", "\x1b[2J"), 1, r"the key '\\x1b\[2J' is not known"),
    "half measured": (("findings", 0, "predicted", "after", "unmeasured"), "?", "the key 'level' is not known"),
    "key that is no text": (("provenance", "versions"), {1: "x"}, "expected a text, found 1"),
    "foreign object": (("fingerprint",), b"x", "expected a text, found bytes"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_result_is_refused_and_says_where(name):
    path, value, message = BROKEN[name]
    mapping = deepcopy(verdict_to_mapping(verdict(FAILED, QUIET)))
    holder = mapping
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    with pytest.raises(EvaluationError, match=message) as raised:
        verdict_from_mapping(mapping)
    assert raised.value.remedy
    assert str(raised.value).isascii()
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 400


@pytest.mark.parametrize("mapping", [None, [], "x", {}, {"schema": wire.SCHEMA}, {"schema": 1}])
def test_what_is_no_result_is_refused(mapping):
    with pytest.raises(EvaluationError):
        verdict_from_mapping(mapping)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"[" * 100_000, b'{"seconds": NaN}', b'{"a": 1, "a": 2}', b"1" * 5000, b"{", b'"\x00"'],
)
def test_bytes_that_are_no_result_are_refused(content):
    with pytest.raises(EvaluationError):
        verdict_from_json(content)


def test_a_huge_result_is_refused_before_it_is_parsed(monkeypatch):
    monkeypatch.setattr(wire, "LARGEST_RESULT", 10)
    with pytest.raises(EvaluationError, match="11 bytes are more than the 10"):
        verdict_from_json(b"x" * 11)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@generous
@given(st.data())
def test_a_mutated_result_is_read_or_refused_and_never_crashes(data):
    mapping = deepcopy(verdict_to_mapping(verdict(FAILED, ERROR)))
    holder, key = data.draw(st.sampled_from(list(_places(mapping))))
    holder[key] = data.draw(json_values)
    try:
        found = verdict_from_mapping(mapping)
    except EvaluationError:
        return
    assert verdict_from_mapping(verdict_to_mapping(found)) == found


def _places(node):
    """Every place in a JSON value, as its container and key."""
    entries = list(node.items() if isinstance(node, dict) else enumerate(node))
    for key, value in entries:
        yield node, key
        if isinstance(value, dict | list):
            yield from _places(value)


def test_quoting_never_fails_on_a_number_that_python_will_not_print():
    assert untrusted.quoted(10**5000) == "a very large number"
