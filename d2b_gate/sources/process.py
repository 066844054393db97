"""Runs the git binary."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.printable import printable
from d2b_gate.sources.errors import first_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def git(root: Path, *arguments: str) -> bytes:
    """Run git in ``root`` and return what it wrote to stdout.

    Raises:
        EvaluationError: git is missing or failed; with the first line it wrote to stderr.
    """
    done = git_outcome(root, *arguments)
    if done.returncode:
        command = next((argument for argument in arguments if not argument.startswith("-")), "")
        raise EvaluationError(f"git {command} failed: {first_line(done.stderr)}", remedy="run it by hand to see more")
    return done.stdout


def git_outcome(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run git in ``root``, whatever its exit status."""
    try:
        return subprocess.run(command(arguments), cwd=root, env=environment(), capture_output=True, check=False)
    except OSError as error:
        raise _absent(error, root) from error


def start(root: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a git process that is spoken to through stdin and stdout."""
    pipe = subprocess.PIPE
    try:
        return subprocess.Popen(
            command(arguments), cwd=root, env=environment(), stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
        )
    except OSError as error:
        raise _absent(error, root) from error


def command(arguments: Sequence[str]) -> list[str]:
    """Return the argv. Paths are literal, never patterns; no file-system monitor is started as a side effect."""
    return ["git", "--literal-pathspecs", "-c", "core.fsmonitor=false", *arguments]


def environment() -> dict[str, str]:
    """Return the environment as it is (hooks set ``GIT_INDEX_FILE``), without optional locks, prompts and fetches.

    ``GIT_NO_LAZY_FETCH`` is known from git 2.45 on; an older git may ask the remote of a partial clone.
    """
    return {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1"}


def _absent(error: OSError, root: Path) -> EvaluationError:
    if not root.is_dir():
        return EvaluationError("is not a directory", where=printable(str(root)), remedy="start inside the repository")
    return EvaluationError(f"git cannot be started ({error.strerror})", remedy="install git and put it on PATH")
