"""`probe lint` and `probe new`: probe files on disk, with no model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.console import say, show
from d2b_gate.core.errors import EvaluationError, Exit, UsageError
from d2b_gate.core.printable import printable
from d2b_gate.probes.catalogue import pack_root
from d2b_gate.probes.lint import lint_probe
from d2b_gate.probes.read import is_probe_id
from d2b_gate.registry import load_all
from d2b_gate.sources.git import find_repository

if TYPE_CHECKING:
    from argparse import Namespace

_ASKS = re.compile(r"^\s*(\[\[\s*prompt\s*\]\]|(citation|alternatives)\s*=)", re.MULTILINE)
"""What tells a probe file from other TOML, even where it does not parse."""


def run_lint(arguments: Namespace) -> int:
    """Print every problem of every file, and how many there are."""
    files = _given(arguments.paths) if arguments.paths else _tracked()
    kinds = load_all("probe_kinds")
    problems = [problem for file in files for problem in lint_probe(_text(file), file.as_posix(), kinds)]
    show("".join(f"{printable(str(problem))}\n" for problem in problems))
    errors = sum(problem.severity == "error" for problem in problems)
    if not arguments.quiet:
        show(_tally(len(files), errors, len(problems) - errors))
    return int(Exit.USAGE if errors or (problems and arguments.strict) else Exit.OK)


def _given(paths: list[str]) -> list[Path]:
    """The files that are named, and the probe files below the directories that are named."""
    files: list[Path] = []
    for path in map(Path, paths):
        below = sorted(path.rglob("*.toml")) if path.is_dir() else []
        found = [file for file in below if _ASKS.search(_text(file))] if path.is_dir() else [path]
        if not found:
            raise UsageError(
                "there is no probe file in it", where=printable(str(path)), remedy="name probe files, or a directory"
            )
        files += found
    return list(dict.fromkeys(files))


def _tracked() -> list[Path]:
    """Probe files of the index that are on disk, relative to where the command runs if they lie below it."""
    here = Path.cwd().resolve()
    with find_repository(here) as repository:
        root = repository.root.resolve()
        places = [root / file.path for file in repository.snapshot_index().files if file.path.endswith(".toml")]
    found = [place for place in places if place.is_file() and _ASKS.search(_text(place))]
    return [place.relative_to(here) if place.is_relative_to(here) else place for place in found]


def _text(file: Path) -> str:
    where = printable(file.as_posix())
    try:
        return file.read_bytes().decode("utf-8")
    except FileNotFoundError as error:
        raise UsageError("there is no such file", where=where, remedy="correct the path") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("cannot be read as UTF-8 text", where=where, remedy="save it as UTF-8") from error


def _tally(files: int, errors: int, warnings: int) -> str:
    if not errors and not warnings:
        return f"{_count(files, 'probe file')}: ok\n"
    return f"{_count(files, 'probe file')}: {_count(errors, 'error')}, {_count(warnings, 'warning')}\n"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def run_new(arguments: Namespace) -> int:
    """Write the template of a kind under the id that was asked for."""
    if not is_probe_id(arguments.id):
        what = f"{printable(arguments.id)!r} is no id of a probe"
        raise UsageError(what, remedy="write lower-case words, digits and hyphens, parted by slashes: bias/drinks")
    place = Path(arguments.output) if arguments.output else _own_place(arguments.id)
    template = pack_root() / "templates" / f"{arguments.kind}.toml"
    _write_new(place, template.read_text(encoding="utf-8").replace("@ID@", arguments.id))
    if not arguments.quiet:
        shown = printable(str(place))
        say(f"wrote {shown}; edit it, then run d2b-gate probe lint and d2b-gate probe try on it")
    return int(Exit.OK)


def _own_place(name: str) -> Path:
    with find_repository(Path.cwd()) as repository:
        place = repository.root / "probes" / f"{name}.toml"
    here = Path.cwd().resolve()
    return place.relative_to(here) if place.is_relative_to(here) else place


def _write_new(place: Path, text: str) -> None:
    where = printable(str(place))
    if place.exists():
        raise UsageError("there is a file already", where=where, remedy="name another with --output")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        what = f"cannot write the probe ({error.strerror})"
        raise EvaluationError(what, where=where, remedy="name another file with --output") from error
