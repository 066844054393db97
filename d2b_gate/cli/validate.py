"""`validate`: predicted and true side by side, and a ledger of both."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.console import say, show
from d2b_gate.cli.experiment import LEDGER, experiment, file_rows, here, shown
from d2b_gate.cli.progress import make_progress
from d2b_gate.cli.unavailable import inability
from d2b_gate.cli.validate_text import as_json, as_text
from d2b_gate.core.errors import EvaluationError, Exit, UsageError
from d2b_gate.core.ledger import entry_line
from d2b_gate.core.mixture import subsample
from d2b_gate.core.rows import RowRef
from d2b_gate.gate.validate import FEWEST_STEPS, entries, validate

if TYPE_CHECKING:
    from argparse import Namespace

    from d2b_gate.cli.experiment import Experiment
    from d2b_gate.core.rows import Row
    from d2b_gate.gate.validate import Validation


def run_validate(arguments: Namespace) -> int:
    """Train, compare, print, append."""
    if arguments.seeds < 1 or arguments.max_rows < 0:
        raise UsageError("--seeds takes at least 1, --max-rows at least 1", remedy="leave them out for the defaults")
    if (error := inability(arguments)) is not None:
        raise error
    with here() as repository, make_progress(quiet=arguments.quiet) as progress:
        trial = experiment(repository, arguments, progress)
        rows, source = _rows(arguments, trial)
        found = validate(rows, trial.policy, range(arguments.seeds), trial.ports)
    if not arguments.no_ledger:
        _append(found, source, trial, arguments)
    confidence = trial.policy.method.confidence
    show(
        json.dumps(as_json(found, source), indent=2) + "\n"
        if arguments.format == "json"
        else as_text(found, confidence)
    )
    return int(Exit.OK)


def _rows(arguments: Namespace, trial: Experiment) -> tuple[tuple[Row, ...], str]:
    paths = [Path(given) for given in arguments.data]
    rows = tuple(row for path in paths for row in file_rows(path, trial.policy, trial.root))
    source = ", ".join(shown(path, trial.root) for path in paths)
    if not arguments.max_rows or arguments.max_rows >= len(rows):
        return rows, source
    refs = [RowRef(row.key, row.path, row.line) for row in rows]
    by_key = {row.key: row for row in rows}
    drawn = subsample(refs, {}, arguments.max_rows, trial.policy.method.seed)
    return tuple(by_key[ref.key] for ref in drawn), f"{source} ({arguments.max_rows} of {len(rows)} rows)"


def _append(found: Validation, source: str, trial: Experiment, arguments: Namespace) -> None:
    """Append in one write, so that an interruption leaves whole lines."""
    kept = entries(found, source, trial.policy, trial.ports)
    if not kept:
        say(
            f"{found.steps} optimiser steps are too few to learn from (at least {FEWEST_STEPS}): "
            "the ledger stays as it is; give more rows"
        )
        return
    path = Path(arguments.ledger) if arguments.ledger else trial.root / LEDGER
    content = "".join(entry_line(entry) for entry in kept).encode()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        with os.fdopen(descriptor, "ab", buffering=0) as file:
            file.write(content)
    except OSError as error:
        raise EvaluationError(f"cannot append to the ledger ({error.strerror})", where=str(path)) from error
    if not arguments.quiet:
        say(f"appended {len(kept)} lines to {path}; d2b-gate calibrate learns from them")
