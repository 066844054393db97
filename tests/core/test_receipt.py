from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import fields, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.receipt import CI, LOCAL, Maker, Outcome, outcome_of, receipt_of, statement_of
from d2b_gate.core.receipt_match import Expected, differences
from d2b_gate.core.receipt_reading import LARGEST, Signed, Unsigned, read_envelope, receipt_from
from d2b_gate.core.verdict import Control, RowFinding, Since, Status
from tests.reports.strategies import texts, verdicts
from tests.reports.verdicts import FAILED, PROVENANCE, QUIET, WARNED, verdict

generous = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SHA, COMMIT = "ab" * 32, "c1" * 20
RUN = Maker(
    CI, "acme/data", "77", "1", "push", "refs/heads/main", "acme/data/.github/workflows/gate.yml", "https://h/7"
)
JUDGED = replace(verdict(FAILED, QUIET), provenance=replace(PROVENANCE, commit=COMMIT, base_commit="d2" * 20))
makers = st.builds(Maker, st.sampled_from([CI, LOCAL]), *[texts] * 7)


def payload(receipt):
    return json.dumps(statement_of(receipt)).encode()


def test_the_statement(snapshot):
    assert statement_of(receipt_of(JUDGED, SHA, RUN)) == snapshot


@generous
@given(verdicts, makers, st.sampled_from(["", COMMIT, "e" * 64]))
def test_a_receipt_survives_writing_and_reading(judged, maker, commit):
    judged = replace(judged, provenance=replace(judged.provenance, commit=commit))
    receipt = receipt_of(judged, SHA, maker)
    assert receipt_from(payload(receipt)) == receipt


@pytest.mark.parametrize(
    ("judged", "outcome"),
    [
        (verdict(QUIET), Outcome.PASSED),
        (verdict(), Outcome.PASSED),
        (verdict(QUIET, WARNED), Outcome.WARNED),
        (verdict(replace(FAILED, status=Status.WAIVED, blocks=False)), Outcome.WARNED),
        (verdict(replace(FAILED, status=Status.INCONCLUSIVE, blocks=False)), Outcome.WARNED),
        (verdict(replace(FAILED, status=Status.INCONCLUSIVE, blocks=True)), Outcome.FAILED),
        (verdict(replace(FAILED, status=Status.ERROR)), Outcome.FAILED),
        (verdict(FAILED), Outcome.FAILED),
        (replace(verdict(), deferred="no model here"), Outcome.FAILED),
        (replace(verdict(QUIET), controls=(Control("null", passed=False, detail=""),)), Outcome.FAILED),
        (replace(verdict(QUIET), row_findings=(RowFinding("sft", "a.jsonl", 1, "no"),)), Outcome.FAILED),
        (replace(verdict(QUIET), since=(Since("b", added=1, removed=0, findings=(WARNED,)),)), Outcome.WARNED),
        (replace(verdict(QUIET), since=(Since("b", added=1, removed=0, findings=(FAILED,)),)), Outcome.FAILED),
    ],
)
def test_only_a_plain_pass_is_called_passed(judged, outcome):
    assert outcome_of(judged) is outcome


@generous
@given(verdicts)
def test_what_does_not_exit_with_0_is_never_called_anything_but_failed(judged):
    if judged.exit or judged.deferred:
        assert outcome_of(judged) is Outcome.FAILED
    listed = receipt_of(judged, SHA, RUN)
    if listed.failed:
        assert outcome_of(judged) is Outcome.FAILED or judged.deferred
    if outcome_of(judged) is Outcome.PASSED:
        assert not listed.failed
        assert not listed.warned


def leaves(node, path=()):
    """Every place of a JSON value."""
    yield path
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inner:
        yield from leaves(value, (*path, key))


def changed(node, path, value):
    if not path:
        return value
    copy = dict(node) if isinstance(node, dict) else list(node)
    copy[path[0]] = changed(node[path[0]], path[1:], value)
    return copy


WHOLE = statement_of(receipt_of(JUDGED, SHA, RUN))
PLACES = list(leaves(WHOLE))


@generous
@given(
    st.sampled_from(PLACES),
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just([]) | st.just({}) | st.just(10**400),
)
def test_a_changed_statement_is_refused_or_says_something_else(place, value):
    """Nothing in a statement is without meaning to its reader."""
    other = changed(WHOLE, place, value)
    if json.dumps(other) == json.dumps(WHOLE):
        return
    try:
        found = receipt_from(json.dumps(other).encode())
    except EvaluationError as error:
        assert "is not a receipt that can be read" in str(error)
    else:
        assert found != receipt_of(JUDGED, SHA, RUN)


@pytest.mark.parametrize("place", [place for place in PLACES if place], ids=str)
def test_a_missing_key_is_refused_or_says_something_else(place):
    *above, last = place
    inside = WHOLE
    for key in above:
        inside = inside[key]
    without = [x for i, x in enumerate(inside) if i != last] if isinstance(inside, list) else {**inside}
    if isinstance(without, dict):
        del without[last]
    try:
        found = receipt_from(json.dumps(changed(WHOLE, above, without)).encode())
    except EvaluationError:
        return
    assert found != receipt_of(JUDGED, SHA, RUN)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"7",
        b"{}",
        b"[" * 100_000,
        b"\xff",
        b'{"payload": "", "payload": "", "payloadType": "x", "signatures": []}',
        b'{"payload": NaN, "payloadType": "application/vnd.in-toto+json", "signatures": []}',
        b'{"payload": "e30=", "payloadType": "application/vnd.in-toto+json", "signatures": []}',
        b'{"payload": "e30=", "payloadType": "text/plain", "signatures": [{"keyid": "a", "sig": "AA=="}]}',
        b'{"payload": "e30", "payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": "AA=="}]}',
        b'{"payload": "e3\\n0=", "payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": "AA=="}]}',
        b'{"payload": "e30=", "payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": "AA=="}'
        b', {"sig": ""}]}',
        b" " * (LARGEST + 1),
    ],
)
def test_what_is_no_envelope_is_refused(content):
    with pytest.raises(EvaluationError, match="is not a receipt that can be read"):
        read_envelope(content)


def test_envelopes_and_bare_statements_are_told_apart():
    signature = {"keyid": "a", "sig": "AAAA"}
    envelope = {"payload": "e30=", "payloadType": "application/vnd.in-toto+json", "signatures": [signature]}
    assert read_envelope(json.dumps(envelope).encode()) == Signed(b"{}", (("a", b"\0\0\0"),))
    bare = payload(receipt_of(JUDGED, SHA, RUN))
    assert read_envelope(bare) == Unsigned(bare)
    assert isinstance(read_envelope(json.dumps({**envelope, "_type": ""}).encode()), Unsigned), "trusted in neither way"


def test_a_result_that_contradicts_itself_is_refused():
    for outcome in ("PASSED", "WARNED"):
        with pytest.raises(EvaluationError, match="does not go with what it lists"):
            receipt_from(json.dumps(changed(WHOLE, ("predicate", "result"), outcome)).encode())


ASKED = Expected(((JUDGED, SHA),), COMMIT, PROVENANCE.policy_digest, "Acme/Data")


def test_a_receipt_of_what_was_asked_for_matches():
    assert differences(receipt_of(JUDGED, SHA, RUN), ASKED) == []
    assert differences(receipt_of(JUDGED, SHA, RUN), Expected()) == []


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"result_sha256": "0" * 64}, "it is of the result 000000000000, and the file is abababababab"),
        (
            {"commit": "0" * 40},
            "it says something else than its own result; it is of the commit 000000000000, and not of c",
        ),
        ({"outcome": Outcome.PASSED}, "it says something else than its own result"),
        ({"policy_digest": "0" * 64}, "it was judged by the policy 000000000000, and not by 5f1d5f1d5f1d"),
        (
            {"maker": replace(RUN, repository="mallory/data")},
            "it was made for the repository mallory/data, and not for",
        ),
        ({"maker": Maker(LOCAL, "acme/data")}, "it was made in the context local, and not by CI"),
        ({"maker": replace(RUN, run="")}, "it says that CI made it, and not which run for which commit"),
    ],
)
def test_every_difference_is_told(other, said):
    receipt = replace(receipt_of(JUDGED, SHA, RUN), **other)
    assert "; ".join(differences(receipt, ASKED)).startswith(said)


def test_all_differences_are_told_at_once():
    other = replace(receipt_of(JUDGED, SHA, RUN), commit="", policy_digest="", maker=Maker(LOCAL))
    assert len(differences(other, ASKED)) == 5


def test_every_field_of_a_receipt_is_in_its_statement():
    """A field that is not written would not be signed."""
    receipt = receipt_of(JUDGED, SHA, RUN)
    for field in fields(receipt):
        value = getattr(receipt, field.name)
        for inner in fields(value) if hasattr(value, "__dataclass_fields__") else ():
            assert json.dumps(getattr(value, inner.name)) in json.dumps(WHOLE), inner.name


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*WHOLE, "payload", "x"]), inner),
    max_leaves=10,
)


@given(JSON)
def test_any_json_is_read_or_refused(content):
    raw = json.dumps(content).encode()
    for read in (read_envelope, receipt_from):
        with suppress(EvaluationError):
            read(raw)
