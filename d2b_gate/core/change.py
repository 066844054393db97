"""What changed in git: files, states, and the scope of one check."""

from __future__ import annotations

from typing import NamedTuple


class FileRef(NamedTuple):
    """A file of one state; ``oid`` is the git blob id (equal content, equal oid), ``mode`` git's (100644 ...)."""

    path: str
    oid: str
    mode: str


class Snapshot(NamedTuple):
    """One state of the repository: a commit, the index, or nothing at all."""

    label: str  # what a person reads: "HEAD 3b2a91d", "index", "nothing"
    files: tuple[FileRef, ...]
    commit: str = ""  # its whole id; empty for the index, and for nothing


class Scope(NamedTuple):
    """The two states that a check compares."""

    before: Snapshot
    after: Snapshot

    @property
    def label(self) -> str:
        """``HEAD 3b2a91d -> index``."""
        return f"{self.before.label} -> {self.after.label}"


class Change(NamedTuple):
    """One path whose blob differs between the two states; an empty oid means that the file is absent there."""

    path: str
    old_oid: str
    new_oid: str
