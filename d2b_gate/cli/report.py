"""`report`: a saved result as text. The result is untrusted input; the exit code is the verdict's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.context import in_ci
from d2b_gate.cli.output import plan_output, write_reports
from d2b_gate.core.errors import UsageError
from d2b_gate.core.wire import verdict_from_json

if TYPE_CHECKING:
    from argparse import Namespace

    from d2b_gate.core.verdict import Verdict


def run_report(arguments: Namespace) -> int:
    """Run `report`."""
    outputs = plan_output(arguments)
    verdict = read_result(Path(arguments.result))
    named = Path(arguments.result).name if in_ci() else arguments.result  # whoever reads CI's report is elsewhere
    write_reports(verdict, outputs, named, "ci", arguments)
    return int(verdict.exit)


def read_result(path: Path) -> Verdict:
    """Read a saved result.

    Raises:
        UsageError: no such file.
        EvaluationError: not a result.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the result: {error.strerror}", where=str(path)) from error
    return verdict_from_json(content)
