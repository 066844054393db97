"""Errors of files and rows; hostile names are made printable, and a row's text never appears."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST_NAME = 60  # our choice: a column name longer than this is text in the wrong place
_MOST_NAMES = 20  # our choice: what fits on three lines of a terminal


def malformed(path: str, line: int, what: str, remedy: str = "") -> EvaluationError:
    """Return an error at ``path:line``; line 0 means the whole file."""
    where = f"{printable(path)}:{line}" if line else printable(path)
    return EvaluationError(what, where=where, remedy=remedy)


def missing_library(path: str, library: str, kind: str) -> EvaluationError:
    """Return the error for a file that needs an optional library."""
    return malformed(path, 0, f"{kind} files need the library {library}", f"run: pip install {library}")


def quoted(name: str) -> str:
    """Return a name as a TOML basic string, shortened where it is too long to be a name."""
    short = name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "..."
    return '"' + printable(short.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def listed(names: Iterable[str]) -> str:
    """Return names for a message, quoted and limited in number."""
    every = list(names)
    rest = len(every) - _MOST_NAMES
    return ", ".join(quoted(name) for name in every[:_MOST_NAMES]) + (f" and {rest} more" if rest > 0 else "")
