"""Content over a bound is read in pieces, from git and from the objects that pointers name."""

from __future__ import annotations

import hashlib

import pytest

from d2b_gate.core.content import Streamed, whole
from d2b_gate.core.errors import EvaluationError
from d2b_gate.sources import objects, pointers
from d2b_gate.sources.dvc import Output
from d2b_gate.sources.pointers import _digests, stands_for_itself
from tests.sources.test_pointers import ROWS, dvc_store, lfs_pointer, lfs_store, md5, read

LARGE = ROWS * 100


@pytest.fixture(autouse=True)
def little(monkeypatch):
    for module in (objects, pointers):
        monkeypatch.setattr(module, "WHOLE_BYTES", 1_000)
        monkeypatch.setattr(module, "PIECE_BYTES", 700)


def test_a_large_blob_is_read_in_pieces_as_often_as_wished(git, repository):
    ((path, content),) = read(git, repository, "data/a.jsonl", LARGE)
    assert path == "data/a.jsonl"
    assert isinstance(content, Streamed)
    assert content.size == len(LARGE)
    assert [len(piece) for piece in content.pieces()][:2] == [700, 700]
    assert whole(content) == whole(content) == LARGE
    git("gc", "--quiet")
    assert whole(content) == LARGE


def test_other_blobs_can_be_read_meanwhile_and_reading_may_end_early(git, repository):
    small = git.stage("small.jsonl", ROWS)
    ((_, content),) = read(git, repository, "data/a.jsonl", LARGE)
    pieces = content.pieces()
    first = next(pieces)
    oid = git("hash-object", "small.jsonl").strip() if small is None else small
    assert repository.blob(oid) == ROWS
    assert first + next(pieces) == LARGE[:1400]
    pieces.close()
    assert whole(content) == LARGE


def test_a_blob_over_the_bound_is_refused_unread(git, repository, monkeypatch):
    monkeypatch.setattr(objects, "MAX_BLOB_BYTES", len(LARGE) - 1)
    with pytest.raises(EvaluationError, match="is larger than"):
        read(git, repository, "data/a.jsonl", LARGE)


def test_a_large_lfs_object_is_held_to_its_hash(git, repository):
    lfs_store(git.root / ".git" / "lfs", LARGE)
    ((_, content),) = read(git, repository, "data/a.jsonl", lfs_pointer(LARGE))
    assert isinstance(content, Streamed)
    assert whole(content) == LARGE
    other = LARGE[:-1] + b" "
    lfs_store(git.root / ".git" / "lfs", other, LARGE)
    with pytest.raises(EvaluationError, match="does not have the pointer's hash"):
        read(git, repository, "data/a.jsonl", lfs_pointer(other))


def test_a_large_dvc_object_is_held_to_its_hash(git, repository):
    cache = git.root / ".dvc" / "cache" / "files" / "md5"
    pointer = f"outs:\n- md5: {md5(LARGE)}\n  hash: md5\n  path: a.jsonl\n".encode()
    dvc_store(cache, md5(LARGE), LARGE)
    ((path, content),) = read(git, repository, "data/a.jsonl.dvc", pointer)
    assert (path, whole(content)) == ("data/a.jsonl", LARGE)
    dvc_store(cache, md5(LARGE), LARGE + b"\n")
    with pytest.raises(EvaluationError, match="does not have the pointer's hash"):
        read(git, repository, "data/a.jsonl.dvc", pointer)


@pytest.mark.parametrize("size", range(1, 8))
def test_line_ends_that_old_dvc_hashed_may_fall_between_pieces(size):
    content = b"a\r\nb\r\r\nc\rd\r\n\r"
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    found = _digests(Streamed(len(content), lambda: iter(pieces)), Output("a", "", legacy=True))
    assert found == {md5(content), hashlib.md5(content.replace(b"\r\n", b"\n")).hexdigest()}


def test_a_large_file_is_no_pointer(git, repository):
    git.stage("data/a.jsonl", lfs_pointer(ROWS) + LARGE)
    git.stage("data/b.jsonl", lfs_pointer(ROWS))
    large, small = repository.snapshot_index().files[-2:]
    assert stands_for_itself(repository, large)
    assert not stands_for_itself(repository, small)
