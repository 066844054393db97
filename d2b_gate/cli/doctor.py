"""`doctor`: one line per thing that a check needs, and how to get what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.console import show
from d2b_gate.cli.doctor_machine import machine_checks
from d2b_gate.cli.doctor_repository import repository_checks
from d2b_gate.core.errors import Exit
from d2b_gate.core.printable import printable

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable

    from d2b_gate.cli.doctor_check import Check

_NAME = 12  # columns: the longest name is "pre-commit"


def run_doctor(arguments: Namespace) -> int:
    """Print every check; the exit code says whether `d2b-gate check` could run here."""
    if arguments.ci:
        return _run_ci(arguments)
    missing = _show(_checks(), arguments)
    if missing:
        show(f"a check cannot run here: {missing} missing\n")
    elif not arguments.quiet:
        show("a check can run here\n")
    return int(Exit.UNEVALUATED if missing else Exit.OK)


def _run_ci(arguments: Namespace) -> int:
    """The same of workflows; what is wrong there is wrong in a configuration."""
    from d2b_gate.cli.doctor_ci import ci_checks

    missing = _show(ci_checks(Path.cwd()), arguments)
    if missing:
        show(f"the workflows need a change: {missing} missing\n")
    elif not arguments.quiet:
        show("the workflows use the gate as they should, as far as can be seen\n")
    return int(Exit.USAGE if missing else Exit.OK)


def _show(checks: Iterable[Check], arguments: Namespace) -> int:
    """Print checks and count what is missing."""
    missing = 0
    for check in checks:
        missing += check.state == "missing"
        if check.state != "ok" or not arguments.quiet:
            show(_line(check))
    return missing


def _checks() -> Iterable[Check]:
    repository, policy, checks = repository_checks(Path.cwd())
    yield from checks
    yield from machine_checks(policy, repository)


def _line(check: Check) -> str:
    remedy = f"; {check.remedy}" if check.remedy else ""
    return f"{check.state:<9}{check.name:<{_NAME}}{printable(check.what + remedy)}\n"
