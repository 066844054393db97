"""What git's ``-z`` listings say: raw diffs, index entries, trees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.change import Change, FileRef
from d2b_gate.sources.errors import unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator


def path_of(name: bytes) -> str:
    """Decode a path; bytes that are not UTF-8 become surrogates, so that no two paths look alike."""
    return name.decode("utf-8", "surrogateescape")


def raw_changes(listing: bytes) -> tuple[Change, ...]:
    """Parse ``git diff --raw -z --no-abbrev --no-renames``; a change of mode alone is none."""
    tokens = listing.split(b"\0")
    pairs = zip(tokens[:-1:2], tokens[1::2], strict=True)
    changes = (_change(header, name) for header, name in pairs)
    return tuple(change for change in changes if change.old_oid != change.new_oid)


def _change(header: bytes, name: bytes) -> Change:
    """Read ``:100644 100755 <oid> <oid> M`` and a path; an id of zeros means absent."""
    _, _, old, new, status = header.lstrip(b":").decode("ascii").split(" ")
    if status.startswith("U"):
        raise _unmerged(path_of(name))
    return Change(path_of(name), old.strip("0") and old, new.strip("0") and new)


def index_files(listing: bytes) -> tuple[FileRef, ...]:
    """Parse ``git ls-files --stage -z``."""
    return tuple(_index_file(entry) for entry in _entries(listing))


def _index_file(entry: bytes) -> FileRef:
    """Read ``100644 <oid> <stage>`` TAB path."""
    header, _, name = entry.partition(b"\t")
    mode, oid, stage = header.decode("ascii").split(" ")
    if stage != "0":
        raise _unmerged(path_of(name))
    return FileRef(path_of(name), oid, mode)


def tree_files(listing: bytes) -> tuple[FileRef, ...]:
    """Parse ``git ls-tree -r -z``."""
    return tuple(_tree_file(entry) for entry in _entries(listing))


def _tree_file(entry: bytes) -> FileRef:
    """Read ``100644 blob <oid>`` TAB path."""
    header, _, name = entry.partition(b"\t")
    mode, _, oid = header.decode("ascii").split(" ")
    return FileRef(path_of(name), oid, mode)


def _entries(listing: bytes) -> Iterator[bytes]:
    return (entry for entry in listing.split(b"\0") if entry)


def _unmerged(path: str) -> Exception:
    return unreadable("is in conflict", path, "resolve it, then run: git add")
