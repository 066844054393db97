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
    from d2b_gate.core.verdict import RowFinding, Verdict
    from d2b_gate.reports.interface import RenderOptions

_HASH = 12


def broken_rows(verdict: Verdict) -> Section:
    """The rows that break their dataset's schema."""
    ordered = sorted(verdict.row_findings, key=lambda row: (row.dataset, row.path, row.line))
    above = ("**Rows that break their schema**", "")
    return Section(above, tuple(map(_broken, ordered)), "row", most=20, size=4_000, bullet="- ")


def _broken(row: RowFinding) -> str:
    message = code(row.message, SENTENCE)
    return f"- {code(place(row.path, str(row.line)), PATH * 2)} in {code(row.dataset, NAME) or 'a dataset'}: {message}"


def policy_edits(verdict: Verdict) -> Section:
    """The head's edits of the policy, which had no influence."""
    edits = verdict.policy_changes
    told = f"**This change edits the policy too** ({effects(edits)}); the verdict is by the policy of the base commit:"
    lines = tuple(f"- {prose(line(change), SENTENCE * 2)}" for change in edits)
    return Section((told, ""), lines, "edit", most=50, size=4_000, bullet="- ")


def notes(verdict: Verdict) -> Section:
    """What a reader must know about how it was measured."""
    lines = tuple(f"- note: {prose(note, SENTENCE)}" for note in verdict.notes)
    return Section((), lines, "note", most=20, size=3_000, bullet="- ")


def advised(verdict: Verdict, options: RenderOptions) -> Section:
    """What to do next."""
    lines = tuple(f"- next: {prose(sentence, SENTENCE * 2)}" for sentence in advice(verdict, options))
    return Section((), lines, "sentence", most=10, size=3_000, bullet="- ")


def method(verdict: Verdict) -> Section:
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
    return Section(above, items, "line", most=20, size=3_000, below=("", "</details>"), bullet="- ")
