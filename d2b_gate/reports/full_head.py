"""The top of the full report: what was judged, by what, on which rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.reports.describe import NAME, PATH, headed
from d2b_gate.reports.escape import terminal
from d2b_gate.reports.layout import columns, flowed, padded
from d2b_gate.reports.numbers import counted, grouped

if TYPE_CHECKING:
    from d2b_gate.core.verdict import FileChange, Since, Verdict
    from d2b_gate.reports.interface import RenderOptions

_FILES_SHOWN = 10
_ARROW = " -> "


def head(verdict: Verdict, options: RenderOptions) -> list[str]:
    """Versions and scope, then the row counts per file."""
    provenance = verdict.provenance
    tool = [
        f"d2b-gate {terminal(provenance.gate_version, NAME)}",
        f"policy {terminal(provenance.policy_path, PATH)}",
        f"model {terminal(provenance.model_id, PATH)}",
        f"{terminal(provenance.device, NAME)} {terminal(provenance.dtype, NAME)}",
    ]
    scope = [terminal(provenance.scope, PATH), totals(verdict.files)]
    if verdict.files:
        scope.append(f"{counted(verdict.rows_cached, 'row')} cached")
    lines = flowed(tool, options.width, "  ") + flowed(scope, options.width, "  ")
    return lines + (_files(verdict.files, options) if len(verdict.files) > 1 else [])


def totals(files: tuple[FileChange, ...]) -> str:
    """``data/a.jsonl: +214 rows, -2 rows``."""
    if not files:
        return "no row changed"
    added, removed = sum(file.added for file in files), sum(file.removed for file in files)
    name = headed(files[0].path, PATH) if len(files) == 1 else f"{counted(len(files), 'file')}:"
    return f"{name} +{counted(added, 'row')}, -{counted(removed, 'row')}"


def _files(files: tuple[FileChange, ...], options: RenderOptions) -> list[str]:
    shown = files if options.verbose else files[:_FILES_SHOWN]
    paths = [terminal(file.path, PATH) for file in shown]
    width = max(columns(path) for path in paths)
    lines = [
        f"  {padded(path, width)}   +{grouped(file.added)} -{grouped(file.removed)}"
        for path, file in zip(paths, shown, strict=True)
    ]
    hidden = len(files) - len(shown)
    return [*lines, f"  and {counted(hidden, 'more file')}"] if hidden else lines


def states(verdict: Verdict) -> list[str]:
    """The two lines that name the state before and the state after."""
    scope = verdict.provenance.scope
    before = terminal(scope.partition(_ARROW)[0], PATH) if _ARROW in scope else "the base state"
    base = (
        f"predicted at {before}" if verdict.rows_before else f"the untouched model, for there are no rows at {before}"
    )
    end = "predicted with this change" + ("" if verdict.rows_after else ", which leaves no rows: the untouched model")
    return [f"--- {base}", f"+++ {end}"]


def states_since(since: Since) -> list[str]:
    """The same for the comparison with the baseline."""
    before = terminal(since.scope.partition(_ARROW)[0], PATH)
    rows = f"+{counted(since.added, 'row')}, -{counted(since.removed, 'row')} since"
    return [f"--- predicted at {before}: {rows}", "+++ predicted with this change, held against budget_delta"]
