"""What to do next: sentences that name only rows, people and commands that exist."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from d2b_gate.core.errors import Exit
from d2b_gate.core.verdict import Status
from d2b_gate.reports.describe import NAME, PATH, failed_controls, is_plainly_ok
from d2b_gate.reports.escape import terminal

if TYPE_CHECKING:
    from d2b_gate.core.verdict import Finding, Verdict
    from d2b_gate.reports.interface import RenderOptions

_OWNERS_SHOWN = 3
_NOTHING = "nothing"
_ZEROS = "0" * 40
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


def advice(verdict: Verdict, options: RenderOptions) -> list[str]:
    """One sentence per thing to do, the most pressing first; none where all is plainly ok."""
    if verdict.deferred:
        return ["CI judges this change; `d2b-gate doctor` says what this machine lacks to judge it here"]
    if is_plainly_ok(verdict):
        return []
    found = [
        *_unevaluated(verdict),
        *_violated(verdict, options),
        *_overspent(verdict),
        *_way_out(verdict, options),
        *_inconclusive(verdict),
        *_harmless(verdict),
    ]
    return [*found, *_in_depth(verdict, options), *_details(options)]


def _unevaluated(verdict: Verdict) -> list[str]:
    if failed_controls(verdict):
        return ["a control failed, so trust no prediction of this run; `d2b-gate doctor` checks the set-up"]
    if verdict.count(Status.ERROR):
        return ["a rule in error was not judged, and is not ok; `d2b-gate doctor` checks the set-up"]
    return []


def _violated(verdict: Verdict, options: RenderOptions) -> list[str]:
    again = "then commit again" if options.hook else "then run `d2b-gate check` again"
    failed = [finding for finding in verdict.findings if finding.status is Status.FAIL]
    broken = [f"correct the rows that break their schema, {again}"] if verdict.row_findings else []
    return [*broken, f"{_rows_to_change(failed)}, {again}{_people_to_ask(failed)}"] if failed else broken


def _rows_to_change(failed: list[Finding]) -> str:
    sides = {run.side for finding in failed for run in finding.blame}
    if sides == {"removed"}:
        return "look at the removed rows named above and put back what the data needs"
    return f"look at {'the rows named above' if sides else 'the changed rows'}, reword them or take them out"


def _people_to_ask(failed: list[Finding]) -> str:
    owners = sorted({terminal(finding.rule.owner, NAME) for finding in failed if finding.rule.owner})
    return f"; {', '.join(owners[:_OWNERS_SHOWN])} can tell whether the limit is right" if owners else ""


def _overspent(verdict: Verdict) -> list[str]:
    if Status.FAIL not in _since(verdict):
        return []
    return [
        "the changes since the baseline add up past the budget: take rows out, or let its owner bless what was merged "
        "with `d2b-gate baseline update`, whose --accept says why"
    ]


def _way_out(verdict: Verdict, options: RenderOptions) -> list[str]:
    """The command that finds the rows, where added ones may be to blame and the result can be named."""
    if not options.result or verdict.exit is not Exit.VIOLATED or not any(file.added for file in verdict.files):
        return []
    command = f"d2b-gate quarantine {terminal(shlex.quote(options.result), PATH)}{_scope_flags(verdict)}"
    return [f"the fewest added rows to take out, as a patch: `{command}`"]


def _scope_flags(verdict: Verdict) -> str:
    """Flags that name the two states of a result once more; none for what is staged."""
    before, _, after = verdict.provenance.scope.partition(" -> ")
    if after == "index":
        return " --all" if before == _NOTHING else ""
    ends = [_ZEROS if state == _NOTHING else state.rpartition(" ")[2] for state in (before, after)]
    return f" --from-ref {ends[0]} --to-ref {ends[1]}" if all(_COMMIT.fullmatch(end) for end in ends) else ""


def _since(verdict: Verdict) -> list[Status]:
    return [finding.status for since in verdict.since for finding in since.findings]


def _inconclusive(verdict: Verdict) -> list[str]:
    if not verdict.count(Status.INCONCLUSIVE) and Status.INCONCLUSIVE not in _since(verdict):
        return []
    return ["an inconclusive rule is settled by more rows, more time, or a calibration from more real fine-tunes"]


def _harmless(verdict: Verdict) -> list[str]:
    if verdict.exit is not Exit.OK:
        return []
    if verdict.count(Status.WARN) or Status.WARN in _since(verdict):
        return ["nothing blocks; look at the warned rules before the data is trained on"]
    return []


def _in_depth(verdict: Verdict, options: RenderOptions) -> list[str]:
    judged = bool(verdict.findings) or any(since.findings for since in verdict.since)
    if not judged or not options.result:
        return []
    return [f"why, in answers, rows and numbers: `d2b-gate explain {terminal(shlex.quote(options.result), PATH)}`"]


def _details(options: RenderOptions) -> list[str]:
    if not options.result:
        return []
    return [f"every number: `d2b-gate report {terminal(shlex.quote(options.result), PATH)} --format json`"]
