"""`quarantine`: search, verify, write a patch, and apply it where that is asked for."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.calibrations import calibrations
from d2b_gate.cli.console import show, speaks_unicode, wants_color
from d2b_gate.cli.context import standpoint
from d2b_gate.cli.judge_since import names_of, standing_since_baseline
from d2b_gate.cli.named_finding import named_finding
from d2b_gate.cli.output import writable
from d2b_gate.cli.patching import Plan, put_down
from d2b_gate.cli.progress import make_progress
from d2b_gate.cli.report import read_result
from d2b_gate.cli.stored import patch_beside
from d2b_gate.cli.unavailable import inability
from d2b_gate.cli.waivers import read_policy_and_waivers
from d2b_gate.cli.wiring import running_of, wire
from d2b_gate.core.errors import Exit, UsageError
from d2b_gate.core.finding_id import named_findings
from d2b_gate.core.printable import printable
from d2b_gate.formats.cutting import uncuttable, without_rows
from d2b_gate.gate.check import fingerprint_of, run
from d2b_gate.gate.dataset import compare
from d2b_gate.gate.explaining import unexplained
from d2b_gate.gate.ports import Request
from d2b_gate.gate.quarantine import Task, quarantine
from d2b_gate.gate.removal import Editor
from d2b_gate.registry import load_all
from d2b_gate.sources.patch import blob_id
from d2b_gate.sources.pointers import stands_for_itself

if TYPE_CHECKING:
    from argparse import Namespace

    from d2b_gate.cli.context import Standpoint
    from d2b_gate.core.change import FileRef
    from d2b_gate.core.quarantine import Applied, Quarantine
    from d2b_gate.core.rules import DatasetSpec, Policy
    from d2b_gate.core.verdict import Verdict
    from d2b_gate.gate.ports import Ports
    from d2b_gate.gate.quarantine import Outcome


_MOST_RUNS = 100
"""More than `check` ever writes; a result that somebody edited must not cost more than a look."""


def run_quarantine(arguments: Namespace) -> int:
    """Run `quarantine`."""
    result = read_result(Path(arguments.result))
    wanted = _wanted(result, arguments)
    plan = _plan(arguments, patch_beside(result, wanted))
    stand = standpoint(arguments)
    with stand.repository:
        if arguments.write:
            _refuse_elsewhere(stand)
        if (error := inability(arguments)) is not None:
            raise error
        outcome = _searched(result, wanted, stand, arguments)
        code = _exit_of(outcome.found)
        made = code in (Exit.OK, Exit.VIOLATED) and outcome.edits
        patches = (put_down(outcome.edits, plan, stand),) if made else ()
    _tell(outcome.found, patches, plan, arguments)
    return int(code)


def _wanted(result: Verdict, arguments: Namespace) -> str:
    """The finding to clear, less the fingerprint in its id; empty for all that blocks."""
    if not arguments.finding:
        return ""
    name, _ = named_finding(list(named_findings(result)), arguments.finding, arguments.result)
    return name.rpartition("@")[0]


def _plan(arguments: Namespace, beside: Path) -> Plan:
    """Where the patch goes, checked before any work is done."""
    if arguments.patch == "-":
        if sys.stdout.isatty():
            what = "a patch holds the text of rows as it is, and a terminal would obey it"
            raise UsageError(what, where="--patch -", remedy="redirect stdout, or name a file")
        return Plan(Path("-"), arguments.write)
    return Plan(writable(arguments.patch).resolve() if arguments.patch else beside, arguments.write)


def _refuse_elsewhere(stand: Standpoint) -> None:
    """A patch of a range is applied to the files of its head, and only where that is checked out."""
    repository = stand.repository
    if stand.mode == "range" and repository.head() != repository.resolve(stand.to_ref):
        what = f"{printable(stand.to_ref)} is not checked out, so there is nothing to write to"
        raise UsageError(what, where="--write", remedy="check it out, or leave --write away and apply the patch there")


def _searched(result: Verdict, wanted: str, stand: Standpoint, arguments: Namespace) -> Outcome:
    """Derive the change anew, see that it is the one that was judged, and search."""
    policy, catalogue, waivers = read_policy_and_waivers(stand.policy(), stand.reader())
    with make_progress(quiet=arguments.quiet) as progress:
        running = running_of(arguments, progress)
        policy, ports = wire(policy, catalogue, stand, running, calibrations(stand.reader()))
        request = Request(stand.scope(), _quicker(policy), stand.context, waivers)
        _refuse_another(result, request, stand, ports, arguments)
        changes = tuple(compare(spec, request.scope, ports) for spec in policy.datasets)
        blame = {name.rpartition("@")[0]: finding.blame[:_MOST_RUNS] for name, finding in named_findings(result)}
        seconds = policy.budget.seconds if arguments.budget is None else arguments.budget
        task = Task(request, changes, wanted, blame, seconds)
        return quarantine(task, ports, _editor(stand), partial(_judged, stand=stand))


def _quicker(policy: Policy) -> Policy:
    """Less a guard that only warns: what it sees lets nothing pass and stops nothing, and costs trainings."""
    return replace(policy, dilution_guard="off") if policy.dilution_guard == "warn" else policy


def _refuse_another(result: Verdict, request: Request, stand: Standpoint, ports: Ports, arguments: Namespace) -> None:
    if result.fingerprint in names_of(fingerprint_of(request, ports), request, stand, ports):
        return
    raise UsageError(
        f"judged another change ({printable(result.provenance.scope)}) than is here ({request.scope.label}), or by "
        "another model, method or set of probes",
        where=arguments.result,
        remedy="name what it judged with --from-ref and --to-ref, or run d2b-gate check again and give its result",
    )


def _judged(request: Request, ports: Ports, stand: Standpoint) -> Verdict:
    """A change that has lost all its rows is held against the budget too: what blocks there is not of its making."""
    verdict = run(request, ports, unexplained)
    return standing_since_baseline(verdict, request, stand, ports, unexplained)


def _editor(stand: Standpoint) -> Editor:
    containers = load_all("containers")

    def hindrance(file: FileRef, spec: DatasetSpec) -> str:
        if not stands_for_itself(stand.repository, file):
            return "is a pointer to its data (Git LFS, DVC)"
        return uncuttable(file.path, spec, containers)

    return Editor(hindrance, partial(without_rows, containers=containers), partial(blob_id, stand.repository.root))


def _exit_of(found: Quarantine) -> Exit:
    if not found.asked:
        return Exit.OK
    if found.stuck:
        return Exit.UNEVALUATED
    return Exit.VIOLATED if found.left or not found.away else Exit.OK


def _tell(found: Quarantine, patches: tuple[Applied, ...], plan: Plan, arguments: Namespace) -> None:
    """The report goes to stdout, or makes way there for the patch."""
    from d2b_gate.reports.interface import RenderOptions
    from d2b_gate.reports.quarantine import render

    stream = sys.stderr if plan.on_stdout else sys.stdout
    options = RenderOptions(
        color=wants_color(arguments, stream), ascii=not speaks_unicode(stream), verbose=arguments.verbose
    )
    text = render(found, patches, options)
    if plan.on_stdout:
        sys.stderr.write("" if arguments.quiet else text)
    else:
        show(text)
