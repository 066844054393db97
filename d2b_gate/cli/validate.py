"""`validate`: predicted and true side by side, and a ledger of both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.appending import append_lines
from d2b_gate.cli.console import say, show
from d2b_gate.cli.experiment import LEDGER, experiment, file_rows, here, shown
from d2b_gate.cli.output import writable
from d2b_gate.cli.progress import make_progress
from d2b_gate.cli.unavailable import inability
from d2b_gate.cli.validate_text import as_json, as_text
from d2b_gate.core.errors import EvaluationError, Exit, UsageError
from d2b_gate.core.ledger import entry_line
from d2b_gate.core.mixture import subsample
from d2b_gate.core.printable import printable
from d2b_gate.core.rows import RowRef
from d2b_gate.gate.validate import FEWEST_STEPS, entries, validate

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from d2b_gate.cli.experiment import Experiment
    from d2b_gate.core.ledger import Entry
    from d2b_gate.core.rows import Row


FIRST_SEED = 1_000_000
"""Seeds of trainings, far from those of predictions, which must not begin where their truth begins."""


def run_validate(arguments: Namespace) -> int:
    """Train, compare, print, append."""
    if arguments.seeds < 1 or (arguments.max_rows is not None and arguments.max_rows < 1):
        raise UsageError("--seeds and --max-rows take at least 1", remedy="leave them out for the defaults")
    if (error := inability(arguments)) is not None:
        raise error
    with here() as repository, make_progress(quiet=arguments.quiet) as progress:
        ledger = writable(arguments.ledger) if arguments.ledger else repository.root / LEDGER
        trial = experiment(repository, arguments, progress, calibrated=True)
        rows, source = _rows(arguments, trial)
        found = validate(rows, trial.policy, [FIRST_SEED + index for index in range(arguments.seeds)], trial.ports)
    whole = json.dumps(as_json(found, source), indent=2) + "\n"
    show(whole if arguments.format == "json" else as_text(found, trial.policy.method.confidence))
    if not arguments.no_ledger:
        said = _append(entries(found, source, trial.policy, trial.ports), ledger, found.steps)
        if not arguments.quiet:
            say(said)
    return int(Exit.OK)


def _rows(arguments: Namespace, trial: Experiment) -> tuple[tuple[Row, ...], str]:
    paths = [Path(given) for given in arguments.data]
    rows = tuple(row for path in paths for row in file_rows(path, trial.policy, trial.root))
    source = ", ".join(shown(path, trial.root) for path in paths)
    if arguments.max_rows is None or arguments.max_rows >= len(rows):
        return rows, source
    refs = [RowRef(row.key, row.path, row.line) for row in rows]
    by_key = {row.key: row for row in rows}
    drawn = subsample(refs, {}, arguments.max_rows, trial.policy.method.seed)
    return tuple(by_key[ref.key] for ref in drawn), f"{source} ({arguments.max_rows} of {len(rows)} rows)"


def _append(kept: Sequence[Entry], path: Path, steps: int) -> str:
    """Append what is worth learning from; return what there is to say about it."""
    place = printable(str(path))
    if not kept:
        return (
            f"{steps} optimiser steps are too few to learn from (at least {FEWEST_STEPS}): "
            f"{place} stays as it is; give more rows"
        )
    try:
        append_lines(path, "".join(entry_line(entry) for entry in kept))
    except OSError as error:
        what = f"cannot append to the ledger ({error.strerror})"
        raise EvaluationError(what, where=place, remedy="name another with --ledger") from error
    return (
        f"appended {len(kept)} {'line' if len(kept) == 1 else 'lines'} to {place}; d2b-gate calibrate learns from them"
    )
