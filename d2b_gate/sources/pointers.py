"""What a blob stands for: itself, or the object that a Git LFS or DVC pointer names, verified by its hash."""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from d2b_gate.core.content import PIECE_BYTES, WHOLE_BYTES, Streamed, pieces_of, size_of, whole
from d2b_gate.core.printable import printable
from d2b_gate.sources.dvc import Output, outputs
from d2b_gate.sources.errors import unreadable
from d2b_gate.sources.objects import MAX_BLOB_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from d2b_gate.core.change import FileRef
    from d2b_gate.core.content import Content
    from d2b_gate.sources.git import Repository
    from d2b_gate.sources.globs import Globs

_LFS_VERSION = re.compile(rb"version https://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/v\d+\r?\n")
_LFS_OID = re.compile(rb"^oid sha256:([0-9a-f]{64})\r?$", re.MULTILINE)
_LFS_SIZE = re.compile(rb"^size (\d{1,18})\r?$", re.MULTILINE)
_MD5 = re.compile(r"[0-9a-f]{32}")
_MAX_LISTING_BYTES = 64 << 20  # our choice: a directory of half a million files


def contents(repository: Repository, file: FileRef, globs: Globs) -> Iterator[tuple[str, Content]]:
    """Yield (path, content) of the data behind one file of a state; large content is not held.

    A plain file yields itself, an LFS pointer its object, a DVC file those of its outputs that ``globs`` match.

    Raises:
        EvaluationError: an object is not on this machine, or its hash is not the pointer's.
    """
    content = repository.content(file.oid)
    if file.path.endswith(".dvc"):
        for output in outputs(whole(content), file.path):
            yield from _output(repository, file.path, output, globs)
    elif isinstance(content, bytes) and _LFS_VERSION.match(content):
        yield file.path, _lfs_object(repository, file.path, content)
    else:
        yield file.path, content


def stands_for_itself(repository: Repository, file: FileRef) -> bool:
    """Whether a file holds its data, and is no pointer to it."""
    content = repository.content(file.oid)
    return not file.path.endswith(".dvc") and not (isinstance(content, bytes) and _LFS_VERSION.match(content))


def _lfs_object(repository: Repository, path: str, pointer: bytes) -> Content:
    oid, size = _LFS_OID.search(pointer), _LFS_SIZE.search(pointer)
    if oid is None or size is None:
        raise unreadable("is a Git LFS pointer that cannot be read", path, "commit the file again with git lfs")
    name = oid.group(1).decode("ascii")
    content = _stored(_lfs_storage(repository) / "objects" / name[:2] / name[2:4] / name, path)
    if content is None:
        remedy = f"run: git lfs pull --include {_shell(path)}"
        raise unreadable(f"is a Git LFS pointer and the object {name[:12]} is not here", path, remedy)
    if size_of(content) != int(size.group(1)) or _digest(content, hashlib.sha256()) != name:
        raise unreadable(f"the Git LFS object {name[:12]} does not have the pointer's hash", path, "run: git lfs fsck")
    return content


def _lfs_storage(repository: Repository) -> Path:
    """Return the LFS directory; a relative ``lfs.storage`` stands in the git directory."""
    return repository.common / (repository.setting("lfs.storage") or "lfs")


def _output(repository: Repository, pointer: str, output: Output, globs: Globs) -> Iterator[tuple[str, Content]]:
    if not output.md5.endswith(".dir"):
        if globs.matches(output.path):
            yield output.path, _dvc_object(repository, pointer, output)
        return
    for path, md5 in _members(whole(_dvc_object(repository, pointer, output)), pointer, output):
        if globs.matches(path):
            yield path, _dvc_object(repository, pointer, Output(path, md5, output.legacy))


def _members(listing: bytes, pointer: str, output: Output) -> Iterator[tuple[str, str]]:
    """Read a directory's listing: (path, md5), in its order."""
    refusal = unreadable("the listing of the DVC directory cannot be read", pointer, "run: dvc add, and commit again")
    if len(listing) > _MAX_LISTING_BYTES:
        raise refusal
    try:
        entries = json.loads(listing)
    except (ValueError, RecursionError) as error:
        raise refusal from error
    for entry in entries if isinstance(entries, list) else [None]:
        match entry:
            case {"md5": str() as md5, "relpath": str() as name} if _is_below(name) and _MD5.fullmatch(md5):
                yield posixpath.join(output.path, name), md5
            case _:
                raise refusal


def _is_below(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and ".." not in parts and not name.startswith("/")


def _dvc_object(repository: Repository, pointer: str, output: Output) -> Content:
    """Return an object of DVC's cache: where version 3 puts it, or where older ones did."""
    name = output.md5
    cache = repository.root / ".dvc" / "cache"
    for place in (cache / "files" / "md5", cache):
        content = _stored(place / name[:2] / name[2:], pointer)
        if content is not None:
            if name.removesuffix(".dir") not in _digests(content, output):
                raise unreadable(
                    f"the DVC object {name[:12]} does not have the pointer's hash", pointer, _fetch(pointer)
                )
            return content
    what = f"points to {printable(output.path)}, and the object {name[:12]} is not here"
    raise unreadable(what, pointer, _fetch(pointer))


def _fetch(pointer: str) -> str:
    return f"run: dvc fetch {_shell(pointer)}"


def _digests(content: Content, output: Output) -> set[str]:
    """Return the md5 of the content, and for older DVC that with Unix line ends, which it hashed for text files."""
    digests = {_digest(content, hashlib.md5(usedforsecurity=False))}
    if output.legacy:
        unix = Streamed(size_of(content), lambda: _unix(pieces_of(content)))
        digests.add(_digest(unix, hashlib.md5(usedforsecurity=False)))
    return digests


def _unix(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The text with Unix line ends; a line end may fall between two pieces."""
    held = b""
    for piece in pieces:
        text = held + piece
        held = b"\r" if text.endswith(b"\r") else b""
        yield text[: len(text) - len(held)].replace(b"\r\n", b"\n")
    yield held


def _digest(content: Content, into: hashlib._Hash) -> str:
    for piece in pieces_of(content):
        into.update(piece)
    return into.hexdigest()


def _stored(place: Path, path: str) -> Content | None:
    """Read an object if it is there."""
    if not place.is_file():
        return None
    size = place.stat().st_size
    if size > MAX_BLOB_BYTES:
        raise unreadable(f"the object is larger than {MAX_BLOB_BYTES >> 20} MiB", path, "split the file")
    return place.read_bytes() if size <= WHOLE_BYTES else Streamed(size, partial(_pieces, place))


def _pieces(place: Path) -> Iterator[bytes]:
    with place.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def _shell(path: str) -> str:
    from shlex import quote

    return quote(printable(path))
