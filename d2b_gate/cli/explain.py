"""`explain`: one finding of a saved result in depth, from the result alone, which is untrusted input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.console import show, speaks_unicode, terminal_width, wants_color
from d2b_gate.cli.named_finding import named_finding
from d2b_gate.cli.report import read_result
from d2b_gate.core.errors import Exit
from d2b_gate.core.finding_id import named_findings
from d2b_gate.core.verdict import Status
from d2b_gate.reports.explanation import Explained, explanation
from d2b_gate.reports.explanation_json import explanation_json
from d2b_gate.reports.interface import RenderOptions

if TYPE_CHECKING:
    from argparse import Namespace

    from d2b_gate.core.verdict import Finding, Verdict

    Named = list[tuple[str, Finding]]

_ORDER = {status: rank for rank, status in enumerate(Status)}  # Status is declared worst first


def run_explain(arguments: Namespace) -> int:
    """Run `explain`; 0 whatever the finding says, for it is no verdict."""
    verdict = read_result(Path(arguments.result))
    known = sorted(named_findings(verdict), key=lambda named: _ORDER[named[1].status])
    name, finding = _chosen(known, arguments)
    show(
        explanation_json(name, finding)
        if arguments.format == "json"
        else _text(verdict, name, finding, known, arguments)
    )
    return int(Exit.OK)


def _chosen(known: Named, arguments: Namespace) -> tuple[str, Finding]:
    """The finding that was named, or the worst one."""
    if known and not arguments.finding:
        return known[0]
    return named_finding(known, arguments.finding, arguments.result)


def _text(verdict: Verdict, name: str, finding: Finding, known: Named, arguments: Namespace) -> str:
    others = [one for one in known if one[1] is not finding and one[1].status is not Status.OK]
    options = RenderOptions(
        color=wants_color(arguments, sys.stdout),
        width=terminal_width(),
        ascii=not speaks_unicode(sys.stdout),
        result=arguments.result,
    )
    return explanation(verdict, Explained(name, finding, others), options)
