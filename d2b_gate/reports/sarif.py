"""SARIF 2.1.0 for code scanning: every rule, and a result per problem, waived ones as suppressed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.errors import Exit
from d2b_gate.reports.describe import NAME, SENTENCE, control_in_words, failed_controls, in_short
from d2b_gate.reports.escape_json import dumped, unlinked
from d2b_gate.reports.problems import CONTROL, DEFERRED, Most, bounded, left_out, problems
from d2b_gate.reports.sarif_results import results
from d2b_gate.reports.sarif_rules import rules

if TYPE_CHECKING:
    from d2b_gate.core.verdict import Verdict
    from d2b_gate.reports.interface import RenderOptions

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_MOST = Most(rows=4000, problems=5000)  # GitHub shows 5 000 results of a run, and refuses more than 25 000
_EXITS = {
    Exit.OK: "nothing blocks",
    Exit.VIOLATED: "the policy is violated",
    Exit.UNEVALUATED: "could not evaluate",
    Exit.INCONCLUSIVE: "inconclusive, and the policy says that blocks",
}


def render(verdict: Verdict, options: RenderOptions) -> str:
    """One run, in ASCII whatever the options say."""
    found = [problem for problem in problems(verdict) if problem.check not in (CONTROL, DEFERRED)]
    shown, hidden = bounded(found, _MOST)
    described = rules(verdict, shown)
    places = {rule["id"]: index for index, rule in enumerate(described)}
    run = {
        "tool": {"driver": {"name": "d2b-gate", "version": _version(verdict), "rules": described}},
        "automationDetails": {"id": "d2b-gate/"},
        "invocations": [_invocation(verdict, hidden)],
        "results": results(shown, places),
        "properties": _provenance(verdict),
    }
    return dumped({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _version(verdict: Verdict) -> str:
    return unlinked(verdict.provenance.gate_version, NAME)


def _invocation(verdict: Verdict, hidden: int) -> dict[str, object]:
    told = [
        *(("error", control_in_words(control)) for control in failed_controls(verdict)),
        *([("note", f"nothing was judged: {verdict.deferred}")] if verdict.deferred else []),
        *(("note", note) for note in verdict.notes),
        *([("warning", left_out(hidden))] if hidden else []),
    ]
    return {
        "executionSuccessful": verdict.exit is not Exit.UNEVALUATED,
        "exitCode": int(verdict.exit),
        "exitCodeDescription": f"{_EXITS[verdict.exit]}: {in_short(verdict)}",
        "toolExecutionNotifications": [
            {"level": level, "message": {"text": unlinked(text, SENTENCE)}} for level, text in told
        ],
    }


def _provenance(verdict: Verdict) -> dict[str, object]:
    provenance = verdict.provenance
    named = {
        "policy": provenance.policy_path,
        "policyDigest": provenance.policy_digest,
        "scope": provenance.scope,
        "model": provenance.model_id,
        "modelRevision": provenance.model_revision,
        "predictor": provenance.predictor,
        "regime": provenance.regime,
        "null": provenance.null,
        "fingerprint": verdict.fingerprint,
    }
    return {name: unlinked(text, SENTENCE) for name, text in named.items()}
