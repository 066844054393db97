"""Which reports go where; a result is saved before anything is printed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from d2b_gate.cli.console import show, speaks_unicode, terminal_width, wants_color
from d2b_gate.cli.defaults import environment
from d2b_gate.core.errors import EvaluationError, UsageError
from d2b_gate.registry import REPORTS, load, require_extra

if TYPE_CHECKING:
    from argparse import Namespace

    from d2b_gate.core.history import Past
    from d2b_gate.core.verdict import Verdict


class Outputs(NamedTuple):
    """Formats for stdout, and (format, path) pairs for files."""

    shown: tuple[str, ...]
    files: tuple[tuple[str, Path], ...]


def plan_output(arguments: Namespace) -> Outputs:
    """Check the output flags before any work is done.

    Raises:
        UsageError: an unknown format, or a target that cannot be written.
        EvaluationError: a format whose libraries are not installed.
    """
    shown = tuple(arguments.format or [environment("FORMAT", "full")])
    files = [_target(entry) for entry in arguments.output_file]
    for name in (*shown, *(name for name, _ in files)):
        if name not in REPORTS:
            load("reports", name)
        require_extra(name)
    return Outputs(shown, tuple(files))


def _target(entry: str) -> tuple[str, Path]:
    name, _, path = entry.partition("=")
    if not path:
        raise UsageError(f"--output-file {entry!r} is not FORMAT=PATH", remedy="for example json=result.json")
    return name, writable(path)


def writable(path: str) -> Path:
    """A file that a flag names to be written, checked before any work is done.

    Raises:
        UsageError: it is a directory, or lies in none.
    """
    target = Path(path)
    if target.is_dir() or not target.absolute().parent.is_dir():
        raise UsageError(f"cannot write {path!r}", remedy="name a file in a directory that exists")
    return target


def save_result(verdict: Verdict) -> str:
    """Keep the result in the cache, so that `report` can render it again; empty where it cannot be kept."""
    from d2b_gate.cli.stored import stored_as

    path = stored_as(verdict)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, _render("json", verdict, colored=False, ascii_only=False, context="ci", result=""))
    except OSError:
        return ""
    return str(path)


def write_reports(verdict: Verdict, outputs: Outputs, result: str, context: str, arguments: Namespace) -> None:
    """Write files first, then print; every format gets the same verdict."""
    for name, path in outputs.files:
        text = _render(name, verdict, colored=False, ascii_only=False, context=context, result=result)
        try:
            write_whole(path, text)
        except OSError as error:
            raise EvaluationError(f"cannot write the report: {error.strerror}", where=str(path)) from error
    for name in outputs.shown:
        show(
            _render(
                name,
                verdict,
                colored=wants_color(arguments, sys.stdout),
                ascii_only=not speaks_unicode(sys.stdout),
                context=context,
                result=result,
                verbose=arguments.verbose,
            )
        )


def _render(
    name: str,
    verdict: Verdict,
    *,
    colored: bool,
    ascii_only: bool,
    context: str,
    result: str,
    verbose: bool = False,
) -> str:
    from d2b_gate.reports.interface import RenderOptions

    module = load("reports", name)
    options = RenderOptions(
        color=colored,
        width=terminal_width(),
        ascii=ascii_only,
        hook=context == "hook",
        verbose=verbose,
        result=result,
        history=_history(verdict) if getattr(module, "SHOWS_HISTORY", False) else (),
    )
    return str(module.render(verdict, options))


def _history(verdict: Verdict) -> tuple[Past, ...]:
    from d2b_gate.cli.earlier import earlier_results

    return earlier_results(verdict)


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old content or the new, never half of it."""
    write_whole_bytes(path, text.replace("\n", os.linesep).encode("utf-8"))


def write_whole_bytes(path: Path, content: bytes) -> None:
    """The same, of bytes."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
