"""The rules of a SARIF run: those of the policy, and those of the gate itself that found something."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from d2b_gate.core.finding_id import SINCE
from d2b_gate.core.verdict import Status
from d2b_gate.reports.describe import NAME, SENTENCE, limits_of, name_of
from d2b_gate.reports.escape_json import unlinked
from d2b_gate.reports.problems import POLICY_CHANGE, ROW_SCHEMA, check_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.verdict import Finding, Verdict
    from d2b_gate.reports.problems import Problem

_OWN = {
    ROW_SCHEMA: ("error", "A row breaks its dataset's JSON Schema", "Correct the row, or the schema that names it."),
    POLICY_CHANGE: (
        "warning",
        "The change edits the policy by which later changes are judged",
        "The verdict is by the policy of the base commit. Whoever owns the policy decides on the edit.",
    ),
}
_HELP = (
    "The gate predicts, before any training, how a change to the training data shifts this behaviour. Look at the rows "
    "named, reword them or take them out."
)


def rules(verdict: Verdict, shown: Sequence[Problem]) -> list[dict[str, object]]:
    """Each rule once, in the order of the verdict; a rule held against the baseline has a name of its own."""
    marked = [(finding, "") for finding in verdict.findings]
    marked += [(finding, SINCE) for since in verdict.since for finding in since.findings]
    named = {check_of(finding, mark): _rule(finding, mark) for finding, mark in reversed(marked)}
    met = {problem.check for problem in shown}
    own = [_described(name, *texts) for name, texts in _OWN.items() if name in met and name not in named]
    return [*reversed(named.values()), *own]


def _rule(finding: Finding, mark: str) -> dict[str, object]:
    rule = finding.rule
    since = " since the baseline" if mark else ""
    watched = unlinked(finding.title or name_of(rule), SENTENCE)
    limits = ", ".join(limits_of(replace(finding, status=Status.OK)))  # the rule's, whatever it ended as
    described = _described(check_of(finding, mark), "error", f"{watched}{since}", f"{_HELP} {limits}{since}.")
    if rule.why:
        described["fullDescription"] = {"text": unlinked(rule.why, SENTENCE)}
    described["properties"] = {"probe": unlinked(rule.probe, NAME), "owner": unlinked(rule.owner, NAME)}
    return described


def _described(name: str, level: str, short: str, explained: str) -> dict[str, object]:
    return {
        "id": name,
        "shortDescription": {"text": unlinked(short, SENTENCE)},
        "help": {"text": unlinked(explained, SENTENCE * 2)},
        "defaultConfiguration": {"level": level},
    }
