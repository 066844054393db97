"""`calibrate`: a file that `check` uses, written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.console import say, show
from d2b_gate.cli.experiment import LEDGER, experiment, file_rows, here
from d2b_gate.cli.progress import make_progress
from d2b_gate.cli.unavailable import inability
from d2b_gate.cli.wiring import CALIBRATION
from d2b_gate.core.calibration import FEWEST, Line
from d2b_gate.core.calibration_file import calibration_text
from d2b_gate.core.errors import EvaluationError, Exit, UsageError
from d2b_gate.core.ledger import read_entries
from d2b_gate.gate.calibrate import Sources, calibrate
from d2b_gate.sources.globs import Globs

if TYPE_CHECKING:
    from argparse import Namespace

    from d2b_gate.cli.experiment import Experiment
    from d2b_gate.core.calibration_file import Calibration
    from d2b_gate.core.ledger import Entry
    from d2b_gate.core.rows import Row

MOST_ROWS = 2000
"""Rows of the user's own that clean resamples are drawn from; more would only be read to be left aside."""


def run_calibrate(arguments: Namespace) -> int:
    """Measure, fit, write, say what is known of each rule."""
    if (error := inability(arguments)) is not None:
        raise error
    with here() as repository, make_progress(quiet=arguments.quiet) as progress:
        trial = experiment(repository, arguments, progress)
        ledger = _ledger(Path(arguments.ledger) if arguments.ledger else trial.root / LEDGER, arguments)
        found = calibrate(trial.policy, Sources(_own_rows(trial), ledger), trial.ports)
    path = Path(arguments.output) if arguments.output else trial.root / CALIBRATION
    _write(path, calibration_text(found))
    show(_summary(found))
    if not arguments.quiet:
        say(f"wrote {path}; commit it beside the policy, and check will use it")
    return int(Exit.OK)


def _ledger(path: Path, arguments: Namespace) -> tuple[Entry, ...]:
    try:
        return read_entries(path.read_text(encoding="utf-8"), path.name)
    except FileNotFoundError:
        if arguments.ledger:
            raise UsageError(
                "there is no such ledger", where=str(path), remedy="d2b-gate validate writes one"
            ) from None
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationError("the ledger cannot be read as UTF-8 text", where=str(path)) from error


def _own_rows(trial: Experiment) -> tuple[Row, ...]:
    """Rows of the policy's datasets as they are on disk, in the order of their paths, up to a bound."""
    rows: list[Row] = []
    for spec in trial.policy.datasets:
        globs = Globs(spec.include, spec.exclude)
        for pattern in spec.include:
            for path in sorted(trial.root.glob(pattern)):
                if len(rows) < MOST_ROWS and path.is_file() and globs.concerns(path.relative_to(trial.root).as_posix()):
                    rows += file_rows(path, trial.policy, trial.root)
    return tuple(row for row in {row.key: row for row in rows}.values() if row.trains)[:MOST_ROWS]


def _write(path: Path, text: str) -> None:
    unfinished = path.with_suffix(".tmp")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise EvaluationError(f"cannot write the calibration ({error.strerror})", where=str(path)) from error


def _summary(found: Calibration) -> str:
    lines = [f"{found.model}: {found.basis}"]
    for one in found.lines:
        name = " ".join(part for part in (one.probe, one.target) if part)
        if isinstance(one.line, Line):
            known = f"true = {one.line.slope:.2f} x predicted, from {one.line.trainings} sets of rows"
        else:
            known = f"noise floor alone: fewer than {FEWEST} sets of rows in the ledger"
        lines.append(f"  {name}: {known}")
    return "\n".join(lines) + "\n"
