"""`audit`: labels of past findings, appended and counted."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.appending import append_lines
from d2b_gate.cli.audit_labels import AUDIT, labels_of
from d2b_gate.cli.console import say, show
from d2b_gate.cli.named_finding import named_finding
from d2b_gate.cli.output import writable
from d2b_gate.cli.report import read_result
from d2b_gate.core.audit import AUDITED, Label, label_line, precision
from d2b_gate.core.errors import EvaluationError, Exit, UsageError
from d2b_gate.core.finding_id import named_findings
from d2b_gate.core.printable import printable
from d2b_gate.reports.numbers import percent
from d2b_gate.sources.git import find_repository

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from d2b_gate.core.audit import Precision

LONGEST = 1000


def run_label(arguments: Namespace) -> int:
    """Append one label."""
    by, note = arguments.by.strip(), arguments.note.strip()
    if not by or len(by) > LONGEST or len(note) > LONGEST:
        raise UsageError(f"--by and --note take at most {LONGEST} characters, and --by at least one")
    verdict = read_result(Path(arguments.result))
    name, finding = named_finding(list(named_findings(verdict)), arguments.finding, arguments.result)
    if finding.status.value not in AUDITED:
        what = f"{printable(name)} ended as {finding.status.value}, which foretold no shift that could be true or false"
        raise UsageError(what, remedy=f"label what ended as {', '.join(AUDITED)}")
    rule, model = finding.rule, verdict.provenance.model_id
    label = Label(
        name, rule.id, finding.status.value, rule.probe, rule.target, model, by, note, label=arguments.label == "true"
    )
    place = writable(arguments.file) if arguments.file else _default()
    _labels(place)  # a damaged file must not grow
    _append(place, label)
    if not arguments.quiet:
        say(f"labelled {printable(name)} {arguments.label} in {printable(_shown(place))}")
    return int(Exit.OK)


def _default() -> Path:
    with find_repository(Path.cwd()) as repository:
        return repository.root / AUDIT


def _shown(place: Path) -> str:
    here = Path.cwd().resolve()
    whole = place.resolve()
    return str(whole.relative_to(here)) if whole.is_relative_to(here) else str(place)


def _append(place: Path, label: Label) -> None:
    try:
        append_lines(place, label_line(label))
    except OSError as error:
        what = f"cannot append the label ({error.strerror})"
        raise EvaluationError(what, where=printable(_shown(place)), remedy="name another with --file") from error


def _labels(place: Path) -> tuple[Label, ...]:
    return labels_of(place, printable(_shown(place)))


def _known(arguments: Namespace) -> tuple[Label, ...]:
    place = Path(arguments.file) if arguments.file else _default()
    if arguments.file and not place.exists():
        raise UsageError("there is no such file", where=printable(str(place)), remedy="correct the path")
    return _labels(place)


def run_list(arguments: Namespace) -> int:
    """Print the last word on every labelled finding."""
    labels = _known(arguments)
    if arguments.format == "json":
        show(json.dumps([asdict(label) for label in labels], indent=2) + "\n")
    else:
        show(_table([("finding", "ended as", "label", "by", "note"), *(_cells(label) for label in labels)]))
    return int(Exit.OK)


def _cells(label: Label) -> tuple[str, ...]:
    return (label.finding, label.status, "true" if label.label else "false", label.by, label.note)


def run_stats(arguments: Namespace) -> int:
    """Print how often each rule was right."""
    if not arguments.stats:
        raise UsageError("audit needs an action", remedy="write: audit label, audit list, or audit --stats")
    found = precision(_known(arguments))
    if arguments.format == "json":
        show(json.dumps([_plain(one) for one in found], indent=2) + "\n")
    else:
        titles = ("rule", "ended as", "labelled", "true", "precision", "95 % interval")
        show(_table([titles, *(_figures(one) for one in found)]))
    return int(Exit.OK)


def _figures(one: Precision) -> tuple[str, ...]:
    low, high = one.interval
    interval = f"[{percent(low)}, {percent(high)}]"
    return (one.rule, one.status, str(one.labelled), str(one.true), percent(one.share), interval)


def _plain(one: Precision) -> dict[str, object]:
    low, high = one.interval
    return {**asdict(one), "precision": one.share, "low": low, "high": high}


def _table(lines: Sequence[tuple[str, ...]]) -> str:
    if len(lines) == 1:
        return "no finding is labelled yet\n"
    shown = [tuple(printable(cell) for cell in line) for line in lines]
    widths = [max(len(line[column]) for line in shown) for column in range(len(shown[0]))]
    rows = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in shown)
    return "".join(f"{row.rstrip()}\n" for row in rows)
