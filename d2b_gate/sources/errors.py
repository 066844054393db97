"""Errors of sources; names of files are hostile text and are made printable."""

from __future__ import annotations

from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.printable import printable

_LONGEST_MESSAGE = 300  # our choice: what fits on three lines of a terminal


def unreadable(what: str, path: str = "", remedy: str = "") -> EvaluationError:
    """Return the error for content that cannot be had."""
    return EvaluationError(what, where=printable(path), remedy=remedy)


def first_line(stderr: bytes) -> str:
    """Return the first line that git wrote to stderr and that is no warning, printable, without ``fatal:``."""
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("warning: ", "hint: "))] or lines or ["no message"]
    return printable(telling[0].removeprefix("fatal: ").removeprefix("error: "))[:_LONGEST_MESSAGE]
