"""Where the gate stands: which states to compare, and which state the policy is read from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from d2b_gate.core.errors import UsageError
from d2b_gate.policy.find import FILES, PYPROJECT, find_policy
from d2b_gate.policy.layers import pinned
from d2b_gate.sources import scopes
from d2b_gate.sources.git import INDEX, find_repository

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from d2b_gate.core.change import Change, FileRef, Scope
    from d2b_gate.policy.find import Found
    from d2b_gate.sources.git import Repository


PLACES = (*FILES, PYPROJECT)


class Standpoint(NamedTuple):
    """A repository, what is asked of it, and who asks."""

    repository: Repository
    mode: Literal["staged", "range", "all", "paths"]
    context: Literal["hook", "ci"]
    policy_ref: str  # the state that policy, probes and row schemas are read from
    from_ref: str = ""
    to_ref: str = ""
    paths: tuple[str, ...] = ()

    def reader(self) -> Callable[[str], str | None]:
        """Read a file of the policy's state; None where it is absent."""
        return text_reader(self.repository, self.policy_ref)

    def policy(self) -> Found:
        """The policy's text."""
        try:
            return find_policy(self.reader())
        except UsageError as error:
            if self.policy_ref == INDEX and (path := self._unstaged()):
                what = f"{path} is not in git's index, which is what is judged"
                raise UsageError(what, remedy=f"run: git add {path}") from error
            raise

    def _unstaged(self) -> str:
        """A policy that lies in the working tree only; empty if none does."""
        return next((path for path in FILES if not self.reader()(path) and (self.repository.root / path).is_file()), "")

    def scope(self) -> Scope:
        """The two states."""
        if self.mode == "staged":
            return scopes.staged_scope(self.repository)
        if self.mode == "range":
            return scopes.range_scope(self.repository, self.from_ref, self.to_ref)
        if self.mode == "all":
            return scopes.all_scope(self.repository)
        return scopes.paths_scope(self.repository, self.paths)

    def changes(self) -> tuple[Change, ...] | None:
        """Changed paths where git can tell them in one cheap call; None where everything is to be judged."""
        if self.mode == "staged":
            return self.repository.staged_changes()
        if self.mode == "range":
            return self.repository.range_changes(self.from_ref, self.to_ref)
        return None


def text_reader(repository: Repository, ref: str) -> Callable[[str], str | None]:
    """Return a reader of files of one state; the places of a policy are looked up by one call of git, for speed."""
    known: dict[str, FileRef | None] = {}

    def read(path: str) -> str | None:
        if place := pinned(path):
            return _pinned_text(repository, *place)
        if path not in known:
            wanted = PLACES if path in PLACES else (path,)
            found = {file.path: file for file in repository.files_at(ref, wanted)}
            known.update((name, found.get(name)) for name in wanted)
        file = known[path]
        return None if file is None else repository.text(file)

    return read


def _pinned_text(repository: Repository, commit: str, path: str) -> str | None:
    """A file of a commit that a policy pins, whatever state is judged."""
    return next((repository.text(file) for file in repository.files_at(commit, (path,))), None)


def worktree_reader(root: Path) -> Callable[[str], str | None]:
    """Return a reader of files as they are on disk: for people who write a policy, never for a verdict."""

    def read(path: str) -> str | None:
        if place := pinned(path):
            with find_repository(root) as repository:
                return _pinned_text(repository, *place)
        try:
            return (root / path).read_bytes().decode("utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError("cannot be read as UTF-8 text", where=path, remedy="save it as UTF-8") from error

    return read


def standpoint(arguments: Namespace) -> Standpoint:
    """Decide from flags and environment what is compared with what.

    In CI (``CI`` set) a range is judged by the policy of its base commit, so that no pull request weakens its own
    gate; a local hook reads policy and data from the same state.

    Raises:
        UsageError: flags that exclude each other, or no repository.
    """
    given = [ref for ref in (arguments.from_ref, arguments.to_ref) if ref is not None]
    if "" in given:
        raise UsageError("--from-ref or --to-ref is empty", remedy="give a commit; an unset variable is no range")
    asked = [arguments.staged, bool(given), arguments.all, bool(arguments.paths)]
    if sum(asked) > 1:
        raise UsageError("--staged, --from-ref/--to-ref, --all and PATHS exclude each other", remedy="give one of them")
    if arguments.to_ref and not arguments.from_ref:
        raise UsageError("--to-ref needs --from-ref", remedy="name the base commit with --from-ref")
    repository = find_repository(Path.cwd())
    context: Literal["hook", "ci"] = "ci" if in_ci() else "hook"
    if arguments.from_ref:
        return range_standpoint(
            repository, arguments.from_ref, arguments.to_ref or "HEAD", context, arguments.bootstrap
        )
    if arguments.all:
        return Standpoint(repository, "all", context, INDEX)
    if arguments.paths:
        return Standpoint(repository, "paths", context, INDEX, paths=tuple(arguments.paths))
    return Standpoint(repository, "staged", context, INDEX)


def range_standpoint(
    repository: Repository, from_ref: str, to_ref: str, context: Literal["hook", "ci"], bootstrap: bool
) -> Standpoint:
    """A range: in CI its policy is the base's, unless the base has none and ``--bootstrap`` says so."""
    if context == "hook":
        return Standpoint(repository, "range", context, to_ref, from_ref, to_ref)
    if _has_policy(repository, from_ref):
        return Standpoint(repository, "range", context, from_ref, from_ref, to_ref)
    if not bootstrap:
        raise UsageError(
            "the base commit has no policy", where=from_ref, remedy="give --bootstrap to use the head's own this once"
        )
    return Standpoint(repository, "range", context, to_ref, from_ref, to_ref)


def _has_policy(repository: Repository, ref: str) -> bool:
    """Whether a commit has a policy, good or bad; nothing (a ref of zeros) has none."""
    if not ref.strip("0"):
        return False
    try:
        find_policy(text_reader(repository, ref))
    except UsageError as error:
        return "no policy" not in error.what
    return True


def in_ci() -> bool:
    """Whether this is a CI run, by the variable that every CI system sets."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")
