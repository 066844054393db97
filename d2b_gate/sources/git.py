"""The repository: what changed, what a state holds, and content by blob id."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from d2b_gate.core.change import Snapshot
from d2b_gate.core.errors import EvaluationError, UsageError
from d2b_gate.core.printable import printable
from d2b_gate.sources.errors import first_line, unreadable
from d2b_gate.sources.listing import index_files, raw_changes, tree_files
from d2b_gate.sources.objects import ObjectReader
from d2b_gate.sources.process import git, git_outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from d2b_gate.core.change import Change, FileRef
    from d2b_gate.core.content import Content

INDEX: Final = ":"
"""Stands for the index where a commit may be named."""

REGULAR_MODES: Final = frozenset({"100644", "100755"})
"""Modes of files with content; 120000 is a symbolic link, 160000 a submodule."""

_EMPTY_TREES = {
    "sha1": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "sha256": "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
# Every setting of a user's that changes what git prints is switched off; renames are deletions and additions here.
_RAW = ("--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color", "--no-relative")
_SHORT = 7  # characters of a commit id in a label, as git shows


def find_repository(start: Path) -> Repository:
    """Return the repository that holds ``start``; `UsageError` where there is none."""
    done = git_outcome(start, "rev-parse", "--path-format=absolute", "--show-toplevel", "--git-common-dir")
    lines = done.stdout.decode("utf-8", "surrogateescape").rstrip("\n").split("\n")
    if done.returncode or len(lines) < 2:
        what = f"no usable git repository ({first_line(done.stderr)})"
        raise UsageError(what, where=printable(str(start)), remedy="start from inside a repository's working tree")
    return Repository(Path("\n".join(lines[:-1])), Path(lines[-1]))


class Repository:
    """One working tree of a git repository, read through the git binary.

    ``root`` is the top of the working tree, ``common`` the directory that all working trees share (``.git``). Holds
    processes open after the first blob: use it as a context manager, or call `close`. For one thread.
    """

    def __init__(self, root: Path, common: Path | None = None) -> None:
        self.root = root
        self.common = common if common is not None else root / ".git"
        self._objects = ObjectReader(root)

    def __enter__(self) -> Repository:
        """Return the repository itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """End the processes that read blobs."""
        self._objects.close()

    def head(self) -> str:
        """Return the commit id of HEAD; empty before the first commit."""
        done = git_outcome(self.root, "rev-parse", "--verify", "--quiet", "HEAD")
        if done.returncode:
            git(self.root, "symbolic-ref", "HEAD")  # fails where HEAD is broken rather than without a commit
        return done.stdout.decode("ascii").strip()

    def staged_changes(self) -> tuple[Change, ...]:
        """Compare HEAD, or nothing before the first commit, with the index: one git call.

        A symbolic link or a submodule is listed as any path; `FileRef.mode` tells it apart.
        """
        return raw_changes(git(self.root, "diff", "--cached", *_RAW, "--"))

    def range_changes(self, from_ref: str, to_ref: str) -> tuple[Change, ...]:
        """Compare the trees of two commits; a ref of zeros is the empty tree."""
        trees = [self._tree(ref) for ref in (from_ref, to_ref)]
        return raw_changes(git(self.root, "diff-tree", "-r", *_RAW, *trees, "--"))

    def snapshot_index(self) -> Snapshot:
        """Return the files of the index."""
        return Snapshot("index", index_files(git(self.root, "ls-files", "--stage", "-z", "--full-name")))

    def snapshot_commit(self, ref: str) -> Snapshot:
        """Return the files of a commit; of none, where the ref is all zeros."""
        if _is_zero(ref):
            return self.snapshot_nothing()
        oid = self.resolve(ref)
        short = oid[:_SHORT]
        label = short if oid.startswith(ref) else f"{printable(ref)} {short}"
        return Snapshot(label, tree_files(git(self.root, "ls-tree", "-r", "-z", "--full-tree", oid)), oid)

    def snapshot_nothing(self) -> Snapshot:
        """Return the state without files."""
        return Snapshot("nothing", ())

    def resolve(self, ref: str) -> str:
        """Return the commit id of a ref."""
        done = git_outcome(self.root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        if done.returncode:
            remedy = "check the name; a shallow clone fetches more with: git fetch --deepen=1"
            raise EvaluationError(f"git knows no commit {printable(ref)!r}", remedy=remedy)
        return done.stdout.decode("ascii").split()[-1]

    def blob(self, oid: str) -> bytes:
        """Return the bytes of a blob; a file that is absent (empty id) has none."""
        return self._objects.blob(oid) if oid else b""

    def content(self, oid: str) -> Content:
        """Return what a blob holds; a large one is read piece by piece."""
        return self._objects.content(oid) if oid else b""

    def blob_size(self, oid: str) -> int:
        """Return the size of a blob without reading it."""
        return self._objects.size(oid) if oid else 0

    def files_at(self, ref: str, paths: Sequence[str]) -> tuple[FileRef, ...]:
        """Return those of ``paths`` that a commit, or `INDEX`, holds as files."""
        if ref == INDEX:
            found = index_files(git(self.root, "ls-files", "--stage", "-z", "--full-name", "--", *paths))
        else:
            oid = self.resolve(ref)
            found = tree_files(git(self.root, "ls-tree", "-z", "--full-tree", oid, "--", *paths))
        return tuple(file for file in found if file.path in paths)

    def read_text_at(self, ref: str, path: str) -> str:
        """Return the text of one file of a commit or of `INDEX`; a policy, not rows.

        Raises:
            UsageError: the file is absent, a link, or not UTF-8.
        """
        state = "the index" if ref == INDEX else printable(ref)
        for file in self.files_at(ref, [path]):
            return self.text(file)
        raise UsageError(f"is not in {state}", where=printable(path), remedy="create it, or run: git add")

    def text(self, file: FileRef) -> str:
        """Return the text of a file; `UsageError` for a link, and for what is not UTF-8."""
        where = printable(file.path)
        if file.mode not in REGULAR_MODES:
            raise UsageError("is not a regular file", where=where, remedy="links are not followed")
        try:
            return self.blob(file.oid).decode("utf-8")
        except UnicodeDecodeError as error:
            raise UsageError("is not UTF-8", where=where, remedy="save it as UTF-8") from error

    def setting(self, name: str) -> str:
        """Return a value of git's configuration; empty where it is not set."""
        done = git_outcome(self.root, "config", "--get", "-z", name)
        return done.stdout.rstrip(b"\0").decode("utf-8", "surrogateescape")

    def _tree(self, ref: str) -> str:
        if not _is_zero(ref):
            return self.resolve(ref)
        kind = git(self.root, "rev-parse", "--show-object-format").decode("ascii").strip()
        if kind not in _EMPTY_TREES:
            raise unreadable(f"the repository's object format {printable(kind)} is unknown")
        return _EMPTY_TREES[kind]


def _is_zero(ref: str) -> bool:
    """Whether a ref is the id of zeros with which git says that a branch is new."""
    return len(ref) >= 40 and not ref.strip("0")
