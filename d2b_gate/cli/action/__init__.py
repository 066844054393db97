"""The steps of action/action.yml, in the order in which a job meets them: guard, install, evaluate, publish.

They run from the action's own checkout. `guard` and `install` run before anything is installed, so nothing that they
import is more than the standard library.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from d2b_gate.cli import main as command_line
from d2b_gate.cli.action.runner import annotate, output
from d2b_gate.cli.console import prepare_streams
from d2b_gate.core.errors import Exit, GateError

if TYPE_CHECKING:
    from collections.abc import Sequence

STEPS = ("guard", "install", "evaluate", "publish")
"""Modules of this package, each with ``run``, which returns an exit code."""

VERDICTS = {
    Exit.OK: "ok",
    Exit.VIOLATED: "fail",
    Exit.USAGE: "refused",
    Exit.UNEVALUATED: "error",
    Exit.INCONCLUSIVE: "inconclusive",
    Exit.NOTHING_MATCHED: "nothing",
    Exit.INTERRUPTED: "interrupted",
}
"""The output ``verdict`` by exit code; ``warn`` is an ``ok`` with a warning."""


def main(argv: Sequence[str]) -> int:
    """Run one step, or with ``gate`` the command line itself; what a step raises ends the job, told in one sentence."""
    name, *rest = argv
    if name == "gate":
        return command_line(rest)
    prepare_streams()
    try:
        return int(importlib.import_module(f"d2b_gate.cli.action.{name}").run())
    except GateError as error:
        annotate("error", str(error))
        output("exit-code", str(int(error.exit)))
        output("verdict", VERDICTS[error.exit])
        return int(error.exit)
