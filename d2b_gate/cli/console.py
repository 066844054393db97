"""Standard streams: reports to stdout, everything else to stderr; no console is crashed by a glyph."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError

if TYPE_CHECKING:
    from argparse import Namespace
    from typing import TextIO


def prepare_streams() -> None:
    """Make streams replace what they cannot encode; under a hook on Windows stdout may be cp1252."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """Print one line to stderr, after the tool's name; a closed stderr keeps nobody from the exit code."""
    with suppress(OSError):
        sys.stderr.write(f"d2b-gate: {text}\n")
        sys.stderr.flush()


def show(text: str) -> None:
    """Print a report to stdout as it is.

    A reader that went away (`| head`) has seen enough: the verdict, and so the exit code, stays what it is.

    Raises:
        EvaluationError: stdout cannot be written, for example to a full disk.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_stdout()
    except OSError as error:
        _discard_stdout()
        raise EvaluationError(f"cannot write to stdout ({error.strerror})", remedy="use --output-file") from error


def _discard_stdout() -> None:
    """Let what is left in the buffer go nowhere; Python flushes it once more at exit."""
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - pathlib knows no null device
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def wants_color(arguments: Namespace, stream: TextIO) -> bool:
    """Flag over NO_COLOR over whether a person watches."""
    if arguments.color != "auto":
        return bool(arguments.color == "always")
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def speaks_unicode(stream: TextIO) -> bool:
    """Whether the stream can show any character."""
    return (stream.encoding or "ascii").lower().replace("-", "").startswith("utf")


def terminal_width() -> int:
    """Columns for text: those of the terminal, within what reads well."""
    import shutil

    return max(60, min(120, shutil.get_terminal_size((88, 24)).columns))
