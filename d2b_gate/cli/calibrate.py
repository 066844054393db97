"""`calibrate`: a file that `check` uses, written whole or not at all."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.appending import read_appended
from d2b_gate.cli.calibrations import CALIBRATION
from d2b_gate.cli.console import say, show
from d2b_gate.cli.experiment import LEDGER, experiment, here, shown
from d2b_gate.cli.output import writable, write_whole
from d2b_gate.cli.progress import make_progress
from d2b_gate.cli.unavailable import inability
from d2b_gate.core.calibration import FEWEST, Line
from d2b_gate.core.calibration_file import calibration_text
from d2b_gate.core.errors import EvaluationError, Exit, UsageError
from d2b_gate.core.ledger import read_entries
from d2b_gate.core.printable import printable
from d2b_gate.core.scale import SHARE
from d2b_gate.gate.calibrate import Sources, calibrate

if TYPE_CHECKING:
    from argparse import Namespace

    from d2b_gate.cli.experiment import Experiment
    from d2b_gate.core.calibration_file import Calibration
    from d2b_gate.core.ledger import Entry
    from d2b_gate.core.rows import Row
    from d2b_gate.sources.git import Repository

MOST_ROWS = 2000
"""Rows of the user's own that clean resamples are drawn from; more would only be read to be left aside."""


def run_calibrate(arguments: Namespace) -> int:
    """Measure, fit, write, say what is known of each rule."""
    if (error := inability(arguments)) is not None:
        raise error
    with here() as repository, make_progress(quiet=arguments.quiet) as progress:
        path = writable(arguments.output) if arguments.output else repository.root / CALIBRATION
        ledger = _ledger_path(arguments, repository.root)
        trial = experiment(repository, arguments, progress, calibrated=False)
        entries = _entries(ledger, trial.root)
        found = calibrate(trial.policy, Sources(_own_rows(repository, trial), entries), trial.ports)
    _write(path, calibration_text(found))
    show(_summary(found))
    if not arguments.quiet:
        say(f"wrote {printable(str(path))}; {_next(path, trial.root)}")
    return int(Exit.OK)


def _ledger_path(arguments: Namespace, root: Path) -> Path:
    path = Path(arguments.ledger) if arguments.ledger else root / LEDGER
    if arguments.ledger and not path.exists():
        raise UsageError(
            "there is no such ledger", where=printable(str(path)), remedy="d2b-gate validate --ledger writes one"
        )
    return path


def _entries(path: Path, root: Path) -> tuple[Entry, ...]:
    return read_appended(path, printable(shown(path, root)), read_entries, ("ledger", "validate"))


def _own_rows(repository: Repository, trial: Experiment) -> tuple[Row, ...]:
    """Rows that train of the policy's datasets, as a check of the index reads them, up to a bound."""
    reader, index = trial.ports.reader, repository.snapshot_index()
    rows: dict[str, Row] = {}
    for spec in trial.policy.datasets:
        for file in reader.pick(spec, index).files:
            if len(rows) >= MOST_ROWS:
                break
            for path, content in reader.contents(file, spec):
                training = (row for row in reader.rows(content, path, spec) if row.trains)
                rows.update((row.key, row) for row in islice(training, MOST_ROWS))
    return tuple(rows.values())[:MOST_ROWS]


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, text)
    except OSError as error:
        what = f"cannot write the calibration ({error.strerror})"
        raise EvaluationError(what, where=printable(str(path)), remedy="name another file with --output") from error


def _next(path: Path, root: Path) -> str:
    if path.resolve() == (root / CALIBRATION).resolve():
        return "commit it beside the policy, and check will use it"
    return f"check will use it once it is committed as {CALIBRATION} in the root of the repository"


def _summary(found: Calibration) -> str:
    lines = [f"{printable(found.model)}: {found.basis}"]
    for one in found.lines:
        name = printable(" ".join(part for part in (one.probe, one.target) if part))
        if isinstance(one.line, Line):
            scale = "log-odds, " if one.unit == SHARE else ""
            known = f"true = {one.line.slope:.2f} x predicted, {scale}from {one.line.trainings} sets of rows"
        elif one.line.sources < FEWEST:
            known = f"noise floor alone: {one.line.sources} of at least {FEWEST} sets of rows in the ledger"
        else:
            known = "noise floor alone: predictions do not surely go the way of what trainings in the ledger did"
        lines.append(f"  {name}: {known}")
    return "\n".join(lines) + "\n"
