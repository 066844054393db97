"""The end of the full report: broken rows, the method, controls, notes, the summary and what to do next."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from d2b_gate.core.verdict import Status
from d2b_gate.reports.advice import advice
from d2b_gate.reports.describe import NAME, PATH, SENTENCE, control_in_words, place, tally
from d2b_gate.reports.escape import terminal
from d2b_gate.reports.full_block import hunk
from d2b_gate.reports.layout import GAP, flowed, painted, wrapped
from d2b_gate.reports.numbers import counted, grouped

if TYPE_CHECKING:
    from d2b_gate.core.verdict import RowFinding, Verdict
    from d2b_gate.reports.interface import RenderOptions

_ROWS_SHOWN = 20
_HASH = 12  # characters shown of a digest; the JSON report has all of them
_LABEL = 10


def broken_rows(verdict: Verdict, options: RenderOptions) -> list[str]:
    """One block per dataset with the rows that break its schema."""
    ordered = sorted(verdict.row_findings, key=lambda row: (row.dataset, row.path, row.line))
    lines: list[str] = []
    for dataset, rows in groupby(ordered, key=lambda row: row.dataset):
        lines.append(hunk(f"@@ row schema: {terminal(dataset, NAME)} @@", Status.FAIL, options))
        lines += _rows(list(rows), options)
    return lines


def _rows(rows: list[RowFinding], options: RenderOptions) -> list[str]:
    shown = rows if options.verbose else rows[:_ROWS_SHOWN]
    lines = [
        f"{GAP}{place(row.path, str(row.line))}{GAP}{terminal(row.message, max(NAME, options.width))}" for row in shown
    ]
    hidden = len(rows) - len(shown)
    return [*lines, f"{GAP}and {counted(hidden, 'more row')}"] if hidden else lines


def method(verdict: Verdict, options: RenderOptions) -> list[str]:
    """What every prediction above depends on."""
    provenance = verdict.provenance
    pins = (
        ("policy", provenance.policy_digest),
        ("model", provenance.model_revision),
        ("tokenizer", provenance.tokenizer_hash),
        ("result", verdict.fingerprint),
    )
    versions = [f"{terminal(name, NAME)} {terminal(version, NAME)}" for name, version in provenance.versions]
    ways = [
        terminal(provenance.predictor, NAME),
        f"for {terminal(provenance.regime, PATH)}" if provenance.regime else "",
        f"seed {provenance.seed}",
        f"{grouped(verdict.rows_before)} rows before, {grouped(verdict.rows_after)} after",
        f"noise from {terminal(provenance.null, PATH)}" if provenance.null else "",
    ]
    return [
        *_labelled("method", [way for way in ways if way], options),
        *_labelled(
            "pins", [f"{name} {terminal(digest, _HASH + 3)[:_HASH]}" for name, digest in pins if digest], options
        ),
        *_labelled("versions", versions, options),
    ]


def controls(verdict: Verdict, options: RenderOptions) -> list[str]:
    """What the gate's checks of itself did; that none ran is said too."""
    text = ", ".join(control_in_words(control) for control in verdict.controls)
    return _sentence("controls", text or "none ran", options)


def notes(verdict: Verdict, options: RenderOptions) -> list[str]:
    """What a reader must know about how it was measured."""
    return [line for note in verdict.notes for line in _sentence("note", terminal(note, SENTENCE), options)]


def summary(verdict: Verdict, options: RenderOptions) -> list[str]:
    """Counts, time and exit code."""
    counts = ", ".join(painted(text, status, options.color) for status, text in tally(verdict))
    seconds, code = f"{verdict.seconds:.1f} s", f"exit {int(verdict.exit)}"
    gap = " " * 5
    return [f"{'summary':<{_LABEL}}{counts or 'nothing was judged'}{gap}{seconds}{gap}{code}"]


def following(verdict: Verdict, options: RenderOptions) -> list[str]:
    """What to do next."""
    lines = [line for item in advice(verdict, options) for line in wrapped(item, options.width, " " * _LABEL)]
    return [f"{'next':<{_LABEL}}{lines[0].strip()}", *lines[1:]] if lines else []


def _labelled(label: str, parts: list[str], options: RenderOptions) -> list[str]:
    width = options.width - _LABEL
    lines = flowed([line for part in parts for line in wrapped(part, width, "")], width, "")
    return [f"{'' if index else label:<{_LABEL}}{line}" for index, line in enumerate(lines)]


def _sentence(label: str, text: str, options: RenderOptions) -> list[str]:
    return wrapped(text, options.width, f"{label:<{_LABEL}}")
