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
    missing = 0
    for check in _checks():
        missing += check.state == "missing"
        if check.state != "ok" or not arguments.quiet:
            show(_line(check))
    if missing:
        show(f"a check cannot run here: {missing} missing\n")
    elif not arguments.quiet:
        show("a check can run here\n")
    return int(Exit.UNEVALUATED if missing else Exit.OK)


def _checks() -> Iterable[Check]:
    repository, policy, checks = repository_checks(Path.cwd())
    yield from checks
    yield from machine_checks(policy, repository)


def _line(check: Check) -> str:
    remedy = f"; {check.remedy}" if check.remedy else ""
    return f"{check.state:<9}{check.name:<{_NAME}}{printable(check.what + remedy)}\n"
