"""What a step says to the runner: workflow commands on stdout, and the files that it names in variables."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from d2b_gate.core.errors import UsageError
from d2b_gate.reports.escape_command import message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LONGEST = 2000  # characters of a line in an annotation: the forge shows four kilobytes of one
_KEPT = 40  # lines: the last that a command wrote to stderr, where its errors are


def asked(name: str) -> str:
    """An input of the action, which its steps get in variables, never in a script."""
    return os.environ.get(f"GATE_{name.upper().replace('-', '_')}", "").strip()


def switch(name: str) -> bool:
    """An input that is true or false.

    Raises:
        UsageError: it is something else; a danger is not switched on by a typing error, nor a guard off.
    """
    value = asked(name)
    if value not in ("true", "false"):
        raise UsageError(f"the input '{name}' is neither true nor false", remedy="write 'true' or 'false'")
    return value == "true"


def one_of(name: str, *known: str) -> str:
    """An input that is one of a few words.

    Raises:
        UsageError: it is none of them.
    """
    value = asked(name)
    if value not in known:
        raise UsageError(f"the input '{name}' is none of {', '.join(known)}", remedy="correct the workflow")
    return value


def output(name: str, value: str) -> None:
    """Set an output of the step; no value can end its own entry, for it would have to guess the delimiter."""
    delimiter = secrets.token_hex(16)
    _append("GITHUB_OUTPUT", f"{name}<<{delimiter}\n{value}\n{delimiter}\n")


def summarise(text: str) -> None:
    """Add Markdown to the job's summary."""
    _append("GITHUB_STEP_SUMMARY", text)


def annotate(level: Literal["error", "warning", "notice"], text: str) -> None:
    """Show lines beside the job; nothing in them is obeyed."""
    shown = message(text.splitlines() or [""], _LONGEST)
    sys.stdout.write(f"::{level} title=d2b-gate::{shown}\n")
    sys.stdout.flush()


def run_unheard(argv: Sequence[str], variables: Mapping[str, str], folder: Path) -> tuple[int, list[str]]:
    """Run a program whose output the runner shows and does not obey: its exit status, and its last lines on stderr.

    What is printed holds names and texts of the change. Both streams go out by one, so that nothing is overtaken by
    the line that lets commands be heard again.
    """
    token = secrets.token_hex(16)
    kept: deque[str] = deque(maxlen=_KEPT)
    _say(f"::stop-commands::{token}\n")
    try:
        child = subprocess.Popen(
            argv, cwd=folder, env=dict(variables), stderr=subprocess.PIPE, encoding="utf-8", errors="replace"
        )
        with child:
            for line in child.stderr or ():
                kept.append(line.rstrip("\r\n"))
                _say(f"{kept[-1]}\n")
    except OSError as error:
        kept.append(f"{argv[0]} cannot be started ({error.strerror})")
        return 127, list(kept)
    finally:
        _say(f"\n::{token}::\n")
    return child.returncode, list(kept)


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _append(variable: str, text: str) -> None:
    path = os.environ.get(variable, "")
    if path:
        with Path(path).open("a", encoding="utf-8", newline="\n") as file:
            file.write(text)
