"""`init`: write a starting policy, and the hook where no pre-commit configuration stands in the way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.console import show
from d2b_gate.cli.context import worktree_reader
from d2b_gate.cli.init_guess import guess_globs
from d2b_gate.cli.init_texts import policy_text, pre_commit_text
from d2b_gate.cli.output import write_whole
from d2b_gate.core.errors import EvaluationError, Exit, UsageError
from d2b_gate.policy.find import FILES, PYPROJECT, find_policy
from d2b_gate.sources.git import find_repository

if TYPE_CHECKING:
    from argparse import Namespace

POLICY = FILES[0]
PRE_COMMIT = ".pre-commit-config.yaml"


def run_init(arguments: Namespace) -> int:
    """Write the files and say what to do next."""
    with find_repository(Path.cwd()) as repository:
        root = repository.root
        _refuse_a_second(root, replace=arguments.force)
        hooks = worktree_reader(root)(PRE_COMMIT)
        globs = guess_globs([file.path for file in repository.snapshot_index().files])
    _write(root / POLICY, policy_text(globs))
    judged = ", ".join(globs) if globs else "nothing yet: no tracked data file was found, so name yours there"
    show(f"wrote {POLICY}; it judges {judged}\n")
    show(_next_steps(added=_add_hook(root, hooks)))
    return int(Exit.OK)


def _refuse_a_second(root: Path, *, replace: bool) -> None:
    """One repository has one policy; only the file that is written may be replaced, and only if asked."""
    reader = worktree_reader(root)
    others = [path for path in FILES[1:] if reader(path) is not None]
    if others or _in_pyproject(root):
        raise UsageError("there is a policy already", where=(*others, PYPROJECT)[0], remedy="edit it, or delete it")
    if (root / POLICY).exists() and not replace:
        raise UsageError("there is a policy already", where=POLICY, remedy="edit it, or replace it with --force")


def _in_pyproject(root: Path) -> bool:
    text = worktree_reader(root)(PYPROJECT)
    if text is None or "d2b-gate" not in text:
        return False
    try:
        find_policy({PYPROJECT: text}.get)
    except UsageError:
        return False
    return True


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, text)
    except OSError as error:
        raise EvaluationError(f"cannot be written ({error.strerror})", where=str(path)) from error


def _add_hook(root: Path, present: str | None) -> bool:
    """Write a pre-commit configuration; one that is there is the user's, so the lines to add are printed."""
    if present is None:
        _write(root / PRE_COMMIT, pre_commit_text())
        show(f"wrote {PRE_COMMIT}\n")
    elif "d2b-gate" in present:
        show(f"{PRE_COMMIT} names d2b-gate already and was left alone\n")
        return False
    else:
        entry = pre_commit_text().partition("repos:\n")[2]
        show(f"{PRE_COMMIT} was left alone; add this under its 'repos:'\n\n{entry}\n")
    return True


def _next_steps(*, added: bool) -> str:
    steps = (
        *([f"put the address and a release of d2b-gate into {PRE_COMMIT}"] if added else []),
        f"git add {POLICY}{f' {PRE_COMMIT}' if added else ''}",
        "d2b-gate model pull        # fetches the model of the pack d2b:default, once",
        "pre-commit install",
        "d2b-gate doctor            # says what is still missing",
    )
    return "next\n" + "".join(f"  {step}\n" for step in steps)
