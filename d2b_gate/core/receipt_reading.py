"""Receipts read back, as untrusted bytes: a DSSE envelope, or a bare statement that nobody signed."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError, Exit
from d2b_gate.core.receipt import (
    CI,
    COMMIT,
    EXTENSION,
    LOCAL,
    PREDICATE,
    RESULT,
    SCHEMA,
    STATEMENT,
    Maker,
    Outcome,
    Ran,
    Receipt,
    is_commit,
    is_sha256,
)
from d2b_gate.core.untrusted import PREFIX, Untrusted, quoted, refusal, strict_json
from d2b_gate.core.wire_values import optional

if TYPE_CHECKING:
    from collections.abc import Mapping

PAYLOAD = "application/vnd.in-toto+json"
LARGEST = 4 * 2**20  # bytes; our choice: thousands of rules
MOST_SIGNATURES = 16  # our choice
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}
_PLACES = "repository run attempt event ref workflow base_commit"
_RUN = "gate_version model_id model_revision scope fingerprint exit_code"


@dataclass(frozen=True, slots=True)
class Signed:
    """A payload with signatures that nobody has verified yet."""

    payload: bytes
    signatures: tuple[tuple[str, bytes], ...]  # key id, signature


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A bare statement."""

    payload: bytes


def read_envelope(content: bytes) -> Signed | Unsigned:
    """Take an envelope apart; nothing in it is to be believed.

    Raises:
        EvaluationError: it is neither an envelope nor a statement.
    """
    table = _loaded(content)
    if isinstance(table.value, dict) and "_type" in table.value:
        return Unsigned(content)
    try:
        fields = table.fields("payload payloadType signatures")
        fields["payloadType"].one_of({PAYLOAD: PAYLOAD})
        signatures = tuple(_signature(entry) for entry in fields["signatures"].items())
        if not 0 < len(signatures) <= MOST_SIGNATURES or len({key for key, _ in signatures}) != len(signatures):
            raise refusal(f"expected 1 to {MOST_SIGNATURES} signatures, each by another key", "signatures")
        return Signed(_bytes(fields["payload"]), signatures)
    except EvaluationError as error:
        raise _no_receipt(error) from None


def _signature(node: Untrusted) -> tuple[str, bytes]:
    fields = node.fields("sig", "keyid")
    return optional(fields, "keyid"), _bytes(fields["sig"])


def _bytes(node: Untrusted) -> bytes:
    if not isinstance(node.value, str):  # not `text`: a payload may be longer than any text of a result
        raise refusal(f"expected a text, found {quoted(node.value)}", node.at)
    try:
        return base64.b64decode(node.value, validate=True)
    except ValueError:
        raise refusal("it is not base64", node.at) from None


def receipt_from(payload: bytes) -> Receipt:
    """Read a statement.

    Raises:
        EvaluationError: it is no statement of this gate, or contradicts itself.
    """
    table = _loaded(payload)
    try:
        return _receipt(table)
    except EvaluationError as error:
        raise _no_receipt(error) from None


def _receipt(root: Untrusted) -> Receipt:
    top = root.fields("_type subject predicateType predicate")
    top["_type"].one_of({STATEMENT: STATEMENT})
    top["predicateType"].one_of({PREDICATE: PREDICATE})
    predicate = top["predicate"].fields(f"result configuration passedTests warnedTests failedTests {EXTENSION}", "url")
    own = predicate[EXTENSION].fields(f"schema context {_RUN}", _PLACES)
    own["schema"].one_of({SCHEMA: SCHEMA})
    policy_path, policy_digest = _policy(predicate["configuration"])
    result_sha256, commit = _subject(top["subject"])
    receipt = Receipt(
        outcome=predicate["result"].one_of(_OUTCOMES),
        result_sha256=result_sha256,
        commit=commit,
        base_commit=optional(own, "base_commit"),
        policy_path=policy_path,
        policy_digest=policy_digest,
        passed=predicate["passedTests"].texts(),
        warned=predicate["warnedTests"].texts(),
        failed=predicate["failedTests"].texts(),
        ran=_ran(own),
        maker=_maker(own, optional(predicate, "url")),
    )
    _require_agreement(receipt)
    return receipt


def _subject(node: Untrusted) -> tuple[str, str]:
    """The hash of the result, and the commit where there is one."""
    found: dict[str, str] = {}
    for entry in node.items():
        fields = entry.fields("name digest")
        name = fields["name"].one_of({RESULT: RESULT, COMMIT: COMMIT})
        kind, sound = ("sha256", is_sha256) if name == RESULT else ("gitCommit", is_commit)
        digest = fields["digest"].fields(kind)[kind]
        if name in found or not sound(digest.text()):
            raise refusal("expected one whole digest of each subject", digest.at)
        found[name] = digest.text()
    if RESULT not in found:
        raise refusal("the result is no subject", node.at)
    return found[RESULT], found.get(COMMIT, "")


def _policy(node: Untrusted) -> tuple[str, str]:
    entries = node.items()
    if len(entries) != 1:
        raise refusal("expected one policy", node.at)
    fields = entries[0].fields("name digest")
    return fields["name"].text(), fields["digest"].fields("sha256")["sha256"].text()


def _ran(own: Mapping[str, Untrusted]) -> Ran:
    return Ran(
        gate_version=own["gate_version"].text(),
        model_id=own["model_id"].text(),
        model_revision=own["model_revision"].text(),
        scope=own["scope"].text(),
        fingerprint=own["fingerprint"].text(),
        exit_code=own["exit_code"].count(),
    )


def _maker(own: Mapping[str, Untrusted], url: str) -> Maker:
    return Maker(
        context=own["context"].one_of({CI: CI, LOCAL: LOCAL}),
        repository=optional(own, "repository"),
        run=optional(own, "run"),
        attempt=optional(own, "attempt"),
        event=optional(own, "event"),
        ref=optional(own, "ref"),
        workflow=optional(own, "workflow"),
        url=url,
    )


def _require_agreement(receipt: Receipt) -> None:
    """A statement that passes and lists failures is believed in neither."""
    clean = not receipt.failed and receipt.ran.exit_code == Exit.OK
    if receipt.outcome is not Outcome.FAILED and not clean:
        raise refusal(f"{receipt.outcome.value} does not go with what it lists", "predicate.result")
    if receipt.outcome is Outcome.PASSED and receipt.warned:
        raise refusal("PASSED does not go with what it lists", "predicate.result")


def _loaded(content: bytes) -> Untrusted:
    if len(content) > LARGEST:
        raise _no_receipt(refusal(f"{len(content)} bytes are more than the {LARGEST} that are read", "receipt"))
    try:
        loaded: object = strict_json(content)
    except (ValueError, RecursionError):
        raise _no_receipt(refusal("it is not JSON", "receipt")) from None
    return Untrusted(loaded, "")


def _no_receipt(error: EvaluationError) -> EvaluationError:
    what = f"is not a receipt that can be read: {error.what.removeprefix(PREFIX)}"
    where = "receipt" if error.where == "result" else error.where
    return EvaluationError(what, where=where, remedy="use a file that `d2b-gate receipt create` wrote")
