"""A crash as a file: traceback and versions, ready for a bug report, and never on the user's screen."""

from __future__ import annotations

import platform
import sys
import tempfile
import traceback
from pathlib import Path

from d2b_gate import __version__


def write_crash(error: BaseException) -> str:
    """Write the report and return where it is; in the system's temporary directory, readable by the user alone."""
    text = "\n".join(
        [
            f"d2b-gate {__version__}, Python {sys.version.split()[0]}, {platform.platform()}",
            f"command: {' '.join(sys.argv[1:])}",
            "",
            *traceback.format_exception(type(error), error, error.__traceback__),
        ]
    )
    try:
        handle, name = tempfile.mkstemp(prefix="d2b-gate-crash-", suffix=".txt")
        with open(handle, "w", encoding="utf-8", errors="backslashreplace") as file:  # noqa: PTH123 - a file handle
            file.write(text)
    except OSError as problem:
        return f"(no file: {problem})"
    return str(Path(name))
