"""What stands around the findings: files, broken rows, edits of the policy, controls, method, pins and notes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.reports.describe import NAME, PATH, SENTENCE, control_in_words, place
from d2b_gate.reports.escape import terminal
from d2b_gate.reports.html.finding import as_sentence
from d2b_gate.reports.numbers import counted, grouped
from d2b_gate.reports.policy_changes import effects, without_effect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from d2b_gate.core.verdict import Provenance, RowFinding, Verdict

_FOLDED_AFTER = 20
_ROWS_SHOWN = 500  # our choice: the page stays small; the JSON report has all


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a table: those that stand open, those folded, and a sentence on the rest."""

    rows: tuple[tuple[str, ...], ...]
    folded: tuple[tuple[str, ...], ...]
    left_out: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything but the findings."""

    judged: tuple[tuple[str, str], ...]  # what was judged, by what: label, text
    files: Table  # path, added, removed
    broken: Table  # dataset, place, message
    edits: Table  # effect, where, what
    edits_in_brief: str
    controls: tuple[tuple[str, str], ...]  # "passed" or "failed", words
    method: tuple[tuple[str, str], ...]
    pins: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    tool: str


def surroundings(verdict: Verdict, note: str) -> Surroundings:
    """The texts around the findings; ``note`` is the page's own."""
    provenance = verdict.provenance
    return Surroundings(
        judged=tuple(_present(_judged(verdict))),
        files=_table([(terminal(one.path, PATH), _plus(one.added), _minus(one.removed)) for one in verdict.files]),
        broken=_table([_broken(row) for row in sorted(verdict.row_findings, key=_by_place)]),
        edits=_table(
            [(edit.effect.value, terminal(edit.where, PATH), without_effect(edit)) for edit in verdict.policy_changes]
        ),
        edits_in_brief=effects(verdict.policy_changes),
        controls=tuple(("passed" if one.passed else "failed", control_in_words(one)) for one in verdict.controls),
        method=tuple(_present(_method(verdict))),
        pins=tuple(_present(_pins(verdict))),
        versions=tuple((terminal(name, NAME), terminal(version, NAME)) for name, version in provenance.versions),
        notes=tuple(as_sentence(terminal(one, SENTENCE)) for one in (*verdict.notes, note) if one),
        tool=f"d2b-gate {terminal(provenance.gate_version, NAME)}",
    )


def _table(rows: list[tuple[str, ...]]) -> Table:
    left = len(rows) - _ROWS_SHOWN
    said = f"and {grouped(left)} more; the json report has all" if left > 0 else ""
    return Table(tuple(rows[:_FOLDED_AFTER]), tuple(rows[_FOLDED_AFTER:_ROWS_SHOWN]), said)


def _plus(count: int) -> str:
    return f"+{grouped(count)}"


def _minus(count: int) -> str:
    return f"\u2212{grouped(count)}"


def _by_place(row: RowFinding) -> tuple[str, str, int]:
    return row.dataset, row.path, row.line


def _broken(row: RowFinding) -> tuple[str, str, str]:
    return terminal(row.dataset, NAME), place(row.path, str(row.line)), terminal(row.message, SENTENCE)


def _present(pairs: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    return (pair for pair in pairs if pair[1])


def _judged(verdict: Verdict) -> Iterator[tuple[str, str]]:
    provenance = verdict.provenance
    yield "change", terminal(provenance.scope, PATH)
    added, removed = sum(one.added for one in verdict.files), sum(one.removed for one in verdict.files)
    changed = f"{counted(len(verdict.files), 'file')}: +{counted(added, 'row')}, \u2212{counted(removed, 'row')}"
    yield "rows", changed if verdict.files else "no row changed"
    yield "policy", terminal(provenance.policy_path, PATH)
    yield "model", terminal(provenance.model_id, PATH)


def _method(verdict: Verdict) -> Iterator[tuple[str, str]]:
    provenance = verdict.provenance
    yield "predictor", terminal(provenance.predictor, NAME)
    yield "regime", terminal(provenance.regime, PATH)
    yield "before", _state(verdict.rows_before)
    yield "after", _state(verdict.rows_after)
    yield "noise from", terminal(provenance.null, PATH)
    yield "device", _machine(provenance)
    yield "seed", str(provenance.seed)
    yield "took", f"{verdict.seconds:.1f} s; {counted(verdict.rows_cached, 'row')} cached"


def _state(rows: int) -> str:
    return f"the model as this regime would train it on {counted(rows, 'row')}" if rows else "the untouched model"


def _machine(provenance: Provenance) -> str:
    return " ".join(terminal(part, NAME) for part in (provenance.device, provenance.dtype) if part)


def _pins(verdict: Verdict) -> Iterator[tuple[str, str]]:
    provenance = verdict.provenance
    yield "policy", terminal(provenance.policy_digest, PATH)
    yield "model", terminal(provenance.model_revision, PATH)
    yield "tokenizer", terminal(provenance.tokenizer_hash, PATH)
    yield "result", terminal(verdict.fingerprint, PATH)
