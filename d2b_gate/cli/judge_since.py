"""The part of `check` that looks back further than the change: to the blessed baseline."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from d2b_gate.cli.blessed import BASELINE, recorded_baseline, start_of
from d2b_gate.gate.cumulative import cumulative_policy, fingerprint_since, held_against
from d2b_gate.gate.explaining import explained

if TYPE_CHECKING:
    from d2b_gate.cli.context import Standpoint
    from d2b_gate.core.verdict import Verdict
    from d2b_gate.gate.explaining import Explaining
    from d2b_gate.gate.ports import Ports, Request


def since_baseline(
    verdict: Verdict, request: Request, stand: Standpoint, ports: Ports, explain: Explaining = explained
) -> Verdict:
    """Judge the whole shift since the baseline too, where the policy limits it; single files are no training set."""
    return standing_since_baseline(verdict, request, stand, ports, explain) if verdict.files else verdict


def standing_since_baseline(
    verdict: Verdict, request: Request, stand: Standpoint, ports: Ports, explain: Explaining = explained
) -> Verdict:
    """The same, of a change without rows too."""
    budgeted = cumulative_policy(request.policy).rules
    if not budgeted or stand.mode == "paths":
        return verdict
    for baseline in recorded_baseline(stand.reader()):
        return held_against(verdict, request, start_of(baseline, stand.repository), ports, explain)
    names = ", ".join(rule.id for rule in budgeted)
    note = f"there is no {BASELINE}: budget_delta of {names} was not judged; d2b-gate baseline create writes one"
    return replace(verdict, notes=(*verdict.notes, note))


def names_of(change: str, request: Request, stand: Standpoint, ports: Ports) -> tuple[str, ...]:
    """Fingerprints that a result on this change may have: ``change``, and with the shift since the baseline."""
    if stand.mode == "paths":
        return (change,)
    return (
        change,
        *(
            fingerprint_since(change, request, start_of(baseline, stand.repository), ports)
            for baseline in recorded_baseline(stand.reader())
        ),
    )
