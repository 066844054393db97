"""The rest of a Markdown report: broken rows, edits of the policy, notes, what to do, and how it was predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.reports.advice import advice
from d2b_gate.reports.bounded import Section
from d2b_gate.reports.describe import NAME, PATH, SENTENCE, place
from d2b_gate.reports.escape_markdown import code, prose
from d2b_gate.reports.numbers import grouped
from d2b_gate.reports.policy_changes import effects, line

if TYPE_CHECKING:
    from d2b_gate.core.policy_change import PolicyChange
    from d2b_gate.core.verdict import RowFinding, Verdict
    from d2b_gate.reports.interface import RenderOptions

_HASH = 12


def broken_rows(verdict: Verdict) -> Section[RowFinding]:
    """The rows that break their dataset's schema."""
    ordered = sorted(verdict.row_findings, key=lambda row: (row.dataset, row.path, row.line))
    above = ("**Rows that break their schema**", "")
    return Section(ordered, _broken, "row", most=20, size=4_000, above=above, bullet="- ")


def _broken(row: RowFinding) -> str:
    message = code(row.message, SENTENCE)
    return f"- {code(place(row.path, str(row.line)), PATH * 2)} in {code(row.dataset, NAME) or 'a dataset'}: {message}"


def policy_edits(verdict: Verdict) -> Section[PolicyChange]:
    """The head's edits of the policy, which had no influence."""
    edits = verdict.policy_changes
    told = f"**This change edits the policy too** ({effects(edits)}); the verdict is by the policy of the base commit:"
    return Section(edits, _edit, "edit", most=50, size=4_000, above=(told, ""), bullet="- ")


def _edit(change: PolicyChange) -> str:
    return f"- {prose(line(change), SENTENCE * 2)}"


def notes(verdict: Verdict) -> Section[str]:
    """What a reader must know about how it was measured."""
    return Section(verdict.notes, _note, "note", most=20, size=3_000, bullet="- ")


def _note(note: str) -> str:
    return f"- note: {prose(note, SENTENCE)}"


def advised(verdict: Verdict, options: RenderOptions) -> Section[str]:
    """What to do next."""
    return Section(advice(verdict, options), _next, "sentence", most=10, size=3_000, bullet="- ")


def _next(sentence: str) -> str:
    return f"- next: {prose(sentence, SENTENCE * 2)}"


def method(verdict: Verdict) -> Section[str]:
    """What every prediction depends on, collapsed."""
    provenance = verdict.provenance
    named = {
        "gate": provenance.gate_version,
        "policy": f"{provenance.policy_path} {provenance.policy_digest[:_HASH]}".strip(),
        "model": f"{provenance.model_id} {provenance.model_revision[:_HASH]}".strip(),
        "tokenizer": provenance.tokenizer_hash[:_HASH],
        "runs on": f"{provenance.device} {provenance.dtype}".strip(),
        "predictor": f"{provenance.predictor}, seed {provenance.seed}",
        "regime": provenance.regime,
        "noise": provenance.null,
        "versions": ", ".join(f"{name} {version}" for name, version in provenance.versions),
        "result": verdict.fingerprint[:_HASH],
    }
    rows = f"- rows: {grouped(verdict.rows_before)} before, {grouped(verdict.rows_after)} after"
    told = (f"- {name}: {code(text, PATH)}" for name, text in named.items() if text)
    above = ("<details><summary>How this was predicted</summary>", "")
    items = (*told, f"{rows}, {grouped(verdict.rows_cached)} cached; {verdict.seconds:.1f} s")
    return Section(items, str, "line", most=20, size=3_000, above=above, below=("", "</details>"), bullet="- ")
