"""The saved form of a verdict, version 1: a view written out by hand, so that inner types may change and readers stay.

Absence is an absent key, or a table with ``unmeasured`` and the reason; there is never a NaN, an infinity or a null.
What is read back is untrusted: a publishing job renders a file that a less trusted job wrote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.untrusted import Untrusted, quoted, refusal, strict_json
from d2b_gate.core.verdict import Control, FileChange, Provenance, RowFinding, Since, Status, Verdict
from d2b_gate.core.wire_finding import STATUSES, finding_from, finding_to_mapping
from d2b_gate.core.wire_policy import policy_changes_from, policy_changes_to_mapping
from d2b_gate.core.wire_values import optional, plain, present

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = "d2b-gate.result/1"
LARGEST_RESULT = 64 * 2**20  # bytes; our choice: 500 findings with examples are about 1 MiB


def verdict_to_mapping(verdict: Verdict) -> dict[str, object]:
    """The JSON-ready form. Raises EvaluationError where a number is not finite, which no verdict may hold."""
    return {
        "schema": SCHEMA,
        "exit_code": int(verdict.exit),
        "counts": {status.value: verdict.count(status) for status in Status},
        **present(deferred=verdict.deferred),
        "provenance": _provenance_to_mapping(verdict.provenance),
        "files": [{"path": file.path, "added": file.added, "removed": file.removed} for file in verdict.files],
        "rows": {"before": verdict.rows_before, "after": verdict.rows_after, "cached": verdict.rows_cached},
        "findings": [finding_to_mapping(finding) for finding in verdict.findings],
        "row_findings": [
            {"dataset": row.dataset, "path": row.path, "line": row.line, "message": row.message}
            for row in verdict.row_findings
        ],
        **({"since_baseline": _since_to_mapping(verdict.since[0])} if verdict.since else {}),
        "controls": [
            {"name": control.name, "passed": control.passed, "detail": control.detail} for control in verdict.controls
        ],
        "notes": list(verdict.notes),
        "seconds": plain(verdict.seconds),
        "fingerprint": verdict.fingerprint,
        **policy_changes_to_mapping(verdict.policy_changes),
    }


def _since_to_mapping(since: Since) -> dict[str, object]:
    return {
        "scope": since.scope,
        "rows": {"added": since.added, "removed": since.removed},
        "findings": [finding_to_mapping(finding) for finding in since.findings],
    }


def _provenance_to_mapping(provenance: Provenance) -> dict[str, object]:
    return {
        "gate_version": provenance.gate_version,
        "policy_path": provenance.policy_path,
        "policy_digest": provenance.policy_digest,
        "scope": provenance.scope,
        "model_id": provenance.model_id,
        "model_revision": provenance.model_revision,
        "tokenizer_hash": provenance.tokenizer_hash,
        "dtype": provenance.dtype,
        "device": provenance.device,
        "predictor": provenance.predictor,
        "regime": provenance.regime,
        "seed": provenance.seed,
        "versions": dict(provenance.versions),
        "null": provenance.null,
        **present(base_commit=provenance.base_commit, commit=provenance.commit),
    }


def verdict_from_json(content: bytes) -> Verdict:
    """Read a saved result, as untrusted bytes. Raises EvaluationError where it cannot be read."""
    if len(content) > LARGEST_RESULT:
        raise refusal(f"{len(content)} bytes are more than the {LARGEST_RESULT} that are read", "")
    try:
        mapping: object = strict_json(content)
    except (ValueError, RecursionError) as error:  # a UnicodeDecodeError or JSONDecodeError is a ValueError
        raise refusal(f"it is not JSON ({quoted(str(error))})", "") from None
    return verdict_from_mapping(mapping)


def verdict_from_mapping(mapping: object) -> Verdict:
    """Read the saved form back, as untrusted. Raises EvaluationError where a key, type, size or version is wrong."""
    top = Untrusted(mapping, "")
    _require_schema(top)
    table = top.fields(
        "schema exit_code counts provenance files rows findings row_findings controls notes seconds fingerprint",
        "deferred since_baseline policy_changes",
    )
    rows = table["rows"].fields("before after cached")
    verdict = Verdict(
        provenance=_provenance_from(table["provenance"]),
        files=tuple(_file_from(item) for item in table["files"].items()),
        rows_before=rows["before"].count(),
        rows_after=rows["after"].count(),
        rows_cached=rows["cached"].count(),
        findings=tuple(finding_from(item) for item in table["findings"].items()),
        row_findings=tuple(_row_finding_from(item) for item in table["row_findings"].items()),
        controls=tuple(_control_from(item) for item in table["controls"].items()),
        notes=table["notes"].texts(),
        seconds=table["seconds"].number(),
        fingerprint=table["fingerprint"].text(),
        deferred=optional(table, "deferred"),
        since=(_since_from(table["since_baseline"]),) if "since_baseline" in table else (),
        policy_changes=policy_changes_from(table),
    )
    _require_agreement(verdict, table)
    return verdict


def _since_from(node: Untrusted) -> Since:
    table = node.fields("scope rows findings")
    rows = table["rows"].fields("added removed")
    return Since(
        table["scope"].text(),
        added=rows["added"].count(),
        removed=rows["removed"].count(),
        findings=tuple(finding_from(item) for item in table["findings"].items()),
    )


def _require_schema(top: Untrusted) -> None:
    found = top.members().get("schema")
    if found is not None and found.text() != SCHEMA:
        raise EvaluationError(
            f"the result has the schema {quoted(found.text())}, and this version reads only '{SCHEMA}'",
            where="schema",
            remedy="render it with the d2b-gate that wrote it, or run the check again",
        )


def _provenance_from(node: Untrusted) -> Provenance:
    texts = "gate_version policy_path policy_digest scope model_id model_revision tokenizer_hash"
    table = node.fields(f"{texts} dtype device predictor regime seed versions null", "base_commit commit")
    return Provenance(
        gate_version=table["gate_version"].text(),
        policy_path=table["policy_path"].text(),
        policy_digest=table["policy_digest"].text(),
        scope=table["scope"].text(),
        model_id=table["model_id"].text(),
        model_revision=table["model_revision"].text(),
        tokenizer_hash=table["tokenizer_hash"].text(),
        dtype=table["dtype"].text(),
        device=table["device"].text(),
        predictor=table["predictor"].text(),
        regime=table["regime"].text(),
        seed=table["seed"].integer(),
        versions=tuple((name, version.text()) for name, version in table["versions"].members().items()),
        null=table["null"].text(),
        base_commit=optional(table, "base_commit"),
        commit=optional(table, "commit"),
    )


def _file_from(node: Untrusted) -> FileChange:
    table = node.fields("path added removed")
    return FileChange(table["path"].text(), added=table["added"].count(), removed=table["removed"].count())


def _row_finding_from(node: Untrusted) -> RowFinding:
    table = node.fields("dataset path line message")
    return RowFinding(
        dataset=table["dataset"].text(),
        path=table["path"].text(),
        line=table["line"].count(),
        message=table["message"].text(),
    )


def _control_from(node: Untrusted) -> Control:
    table = node.fields("name passed detail")
    return Control(table["name"].text(), passed=table["passed"].truth(), detail=table["detail"].text())


def _require_agreement(verdict: Verdict, table: Mapping[str, Untrusted]) -> None:
    """Refuse a file whose exit code or counts say something else than its findings."""
    if table["exit_code"].integer() != verdict.exit:
        raise refusal(f"its findings mean exit code {int(verdict.exit)}", "exit_code")
    counts = table["counts"].fields(" ".join(STATUSES))
    for name, status in STATUSES.items():
        if counts[name].count() != verdict.count(status):
            raise refusal(f"{verdict.count(status)} of its findings have this status", f"counts.{name}")
