"""What changed in git: files, states, and the scope of one check."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file of one state; ``oid`` is the git blob id (equal content, equal oid), ``mode`` git's (100644 ...)."""

    path: str
    oid: str
    mode: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of the repository: a commit, the index, or nothing at all."""

    label: str  # what a person reads: "HEAD 3b2a91d", "index", "nothing"
    files: tuple[FileRef, ...]
    commit: str = ""  # its whole id; empty for the index, and for nothing


@dataclass(frozen=True, slots=True)
class Scope:
    """The two states that a check compares."""

    before: Snapshot
    after: Snapshot

    @property
    def label(self) -> str:
        """``HEAD 3b2a91d -> index``."""
        return f"{self.before.label} -> {self.after.label}"


@dataclass(frozen=True, slots=True)
class Change:
    """One path whose blob differs between the two states; an empty oid means that the file is absent there."""

    path: str
    old_oid: str
    new_oid: str
