"""`check --rows-only`: the policy, every changed row and the row schemas, without a model and without numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.cli.console import show
from d2b_gate.cli.context import standpoint, text_reader
from d2b_gate.cli.output import writable, write_whole
from d2b_gate.cli.policy_edits import policy_edits
from d2b_gate.cli.policy_reading import read_the_policy
from d2b_gate.cli.waivers import read_policy_and_waivers, unusable
from d2b_gate.cli.wiring import row_reader
from d2b_gate.core.change import Scope, Snapshot
from d2b_gate.core.errors import EvaluationError, Exit, GateError, NothingMatchedError, PolicyError, UsageError
from d2b_gate.core.printable import printable
from d2b_gate.core.structure import Fault, Structure
from d2b_gate.gate.dataset import compare, file_changes, rows_in
from d2b_gate.gate.row_schemas import schema_findings
from d2b_gate.policy.find import find_policy
from d2b_gate.policy.waiver_lint import lint_waivers
from d2b_gate.reports.policy_changes import in_words
from d2b_gate.reports.structure import FORMATS
from d2b_gate.store.memory import MemoryStore

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from d2b_gate.cli.context import Standpoint
    from d2b_gate.core.change import FileRef
    from d2b_gate.core.rules import DatasetSpec
    from d2b_gate.gate.dataset import DatasetChange
    from d2b_gate.gate.ports import Reader


@dataclass(frozen=True, slots=True)
class _Ports:
    """Rows and a memory of them: all that it takes here."""

    reader: Reader
    store: MemoryStore


def run_structure(arguments: Namespace) -> int:
    """Print the structure of a change; the exit code is 0, or 1 for broken rows, 2 for the policy, 3 for unread files.

    Raises:
        NothingMatchedError: ``--require-match`` was given, and no row of any dataset changed.
    """
    shown = [_renderer(name) for name in arguments.format or ("full",)]
    written = [_written(entry) for entry in arguments.output_file]
    stand = standpoint(arguments)
    with stand.repository:
        structure = _structure(stand)
    if arguments.require_match and not structure.files and not structure.faults:
        raise NothingMatchedError("no row of any dataset changed", remedy="drop --require-match if that is fine")
    for render, path in written:
        _write(path, render(structure))
    for render in shown:
        show(render(structure))
    return int(structure.exit)


def _renderer(name: str) -> Callable[[Structure], str]:
    if name not in FORMATS:
        raise UsageError(f"--rows-only has no verdict to show as {name!r}", remedy=f"use {' or '.join(FORMATS)}")
    return FORMATS[name]


def _written(entry: str) -> tuple[Callable[[Structure], str], Path]:
    name, equals, path = entry.partition("=")
    if not equals or not path:
        raise UsageError(f"--output-file {entry!r} is not FORMAT=PATH", remedy="for example github=annotations.txt")
    return _renderer(name), writable(path)


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, text)
    except OSError as error:
        raise EvaluationError(f"cannot write the report: {error.strerror}", where=str(path)) from error


def _structure(stand: Standpoint) -> Structure:
    found = stand.policy()
    policy, _, waivers = read_policy_and_waivers(found, stand.reader())
    ports = _Ports(row_reader(stand, policy.show_samples), MemoryStore())
    scope = _changed(stand.scope())
    unread: list[Fault] = []
    changes = [_readable(spec, scope, ports, unread) for spec in policy.datasets]
    broken = [
        Fault(one.path, one.line, one.message, Exit.VIOLATED)
        for change in changes
        for one in schema_findings(change, ports)
    ]
    heads = tuple(_faults_of_head(stand))
    notes = (*_notes(stand), *(f"policy: {in_words(edit)}" for edit in policy_edits(stand, found)))
    notes = (*notes, *(note for change in changes for note in change.notes), *lint_waivers(waivers, policy.rules))
    return Structure(policy.path, scope.label, file_changes(changes), (*heads, *unread, *broken), notes)


def _faults_of_head(stand: Standpoint) -> Iterator[Fault]:
    """A head whose own policy cannot be used: once that is merged, every further change ends with exit 2."""
    if stand.mode != "range" or stand.policy_ref == stand.to_ref:
        return
    reader = text_reader(stand.repository, stand.to_ref)
    try:
        read_the_policy(find_policy(reader), reader)
    except PolicyError as error:
        for problem in error.problems:
            path, _, line = problem.where.rpartition(":")
            place = (path, int(line)) if path and line.isdecimal() else (problem.where, 0)
            yield Fault(*place, f"{problem.what}; {problem.remedy}" if problem.remedy else problem.what, Exit.USAGE)
    except UsageError as error:
        yield Fault(error.where or stand.policy().path, 0, f"{error.what}, so none would be in force", Exit.USAGE)


def _notes(stand: Standpoint) -> Iterator[str]:
    if stand.context == "ci" and stand.mode == "range" and stand.policy_ref == stand.to_ref:
        yield "the base commit has no policy: the head's own is used (--bootstrap)"
    elif stand.mode == "range" and stand.policy_ref != stand.to_ref:
        yield from unusable(text_reader(stand.repository, stand.to_ref))


def _changed(scope: Scope) -> Scope:
    """Both states without the files that are the same in both: their rows cancel."""
    same = set(scope.before.files) & set(scope.after.files)

    def others(snapshot: Snapshot) -> Snapshot:
        return Snapshot(snapshot.label, tuple(file for file in snapshot.files if file not in same))

    return Scope(others(scope.before), others(scope.after))


def _readable(spec: DatasetSpec, scope: Scope, ports: _Ports, unread: list[Fault]) -> DatasetChange:
    """Compare what can be read; what cannot is a fault after the change, and before it only missing."""
    before, after = _faulty(spec, scope.before, ports), _faulty(spec, scope.after, ports)
    unread += after.values()

    def without(snapshot: Snapshot, faults: dict[FileRef, Fault]) -> Snapshot:
        return Snapshot(snapshot.label, tuple(file for file in snapshot.files if file not in faults))

    return compare(spec, Scope(without(scope.before, before), without(scope.after, after)), ports)


def _faulty(spec: DatasetSpec, snapshot: Snapshot, ports: _Ports) -> dict[FileRef, Fault]:
    """Read file by file, so that all that is wrong is told at once; what could be read is remembered."""
    files = ports.reader.pick(spec, snapshot).files
    return {file: fault for file in files for fault in _faults(spec, file, ports)}


def _faults(spec: DatasetSpec, file: FileRef, ports: _Ports) -> Iterator[Fault]:
    try:
        rows_in(spec, Snapshot("", (file,)), ports)
    except GateError as error:
        path, _, line = error.where.rpartition(":")
        if path == printable(file.path) and line.isdecimal():
            yield Fault(file.path, int(line), _said(error.what, error.remedy), error.exit)
        else:
            yield Fault(file.path, 0, str(error), error.exit)


def _said(what: str, remedy: str) -> str:
    return f"{what}; {remedy}" if remedy else what
