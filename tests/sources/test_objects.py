from __future__ import annotations

import subprocess

import pytest

from d2b_gate.core.errors import EvaluationError
from d2b_gate.sources import objects
from d2b_gate.sources.git import Repository

from .conftest import blob_id

CONTENTS = [b"", b"\n", b"one\n", b"\0\xff" * 70_000, b"missing\n", b"x" * 100]


@pytest.fixture
def stored(git):
    for number, content in enumerate(CONTENTS):
        git.stage(str(number), content)
    return [blob_id(content) for content in CONTENTS]


def test_blobs_and_sizes(repository, stored):
    for _ in range(2):
        assert [repository.blob(oid) for oid in stored] == CONTENTS
        assert [repository.blob_size(oid) for oid in stored] == [len(content) for content in CONTENTS]


def test_an_absent_file_has_no_content(repository):
    assert repository.blob("") == b""
    assert repository.blob_size("") == 0


def test_one_process_answers_many_questions(repository, stored, monkeypatch):
    started = []
    real = subprocess.Popen

    class Counted(real):
        def __init__(self, *args, **named):
            started.append(args)
            super().__init__(*args, **named)

    monkeypatch.setattr(subprocess, "Popen", Counted)
    for oid in stored * 5:
        repository.blob(oid)
    assert len(started) == 1


@pytest.mark.parametrize("oid", ["HEAD", "abc", "0" * 39, "A" * 40, "0" * 40 + "\n", f"{'0' * 40} x"])
def test_only_ids_are_asked_for(repository, oid):
    with pytest.raises(EvaluationError, match="not a blob id"):
        repository.blob(oid)


def test_missing_and_wrong_objects(git, repository, stored):
    for read in (repository.blob, repository.blob_size):
        with pytest.raises(EvaluationError, match="not in this clone"):
            read("1" * 40)
        with pytest.raises(EvaluationError, match="not a blob"):
            read(git.commit())
    assert repository.blob(stored[2]) == b"one\n"


def test_a_process_that_died_is_replaced(repository, stored):
    assert repository.blob(stored[2]) == b"one\n"
    (child,) = repository._objects._processes.values()
    child.kill()
    child.wait()
    assert repository.blob(stored[2]) == b"one\n"


def test_a_corrupt_object_is_refused(git, repository, stored):
    oid = stored[2]
    place = git.root / ".git" / "objects" / oid[:2] / oid[2:]
    place.chmod(0o644)
    place.write_bytes(b"broken")
    with pytest.raises(EvaluationError):
        repository.blob(oid)
    assert repository.blob(stored[5]) == CONTENTS[5]


def test_large_blobs_are_refused_before_they_are_read(repository, stored, monkeypatch):
    monkeypatch.setattr(objects, "MAX_BLOB_BYTES", 1000)
    with pytest.raises(EvaluationError, match="larger than"):
        repository.blob(stored[3])
    assert repository.blob(stored[2]) == b"one\n"


def test_closing_ends_the_processes_and_reading_starts_anew(git, stored):
    with Repository(git.root) as repository:
        repository.blob(stored[0])
        repository.blob_size(stored[0])
        children = list(repository._objects._processes.values())
        assert len(children) == 2
    assert all(child.returncode is not None for child in children)
    repository.close()
    assert repository.blob(stored[2]) == b"one\n"
    repository.close()
