from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.change import FileRef
from d2b_gate.core.errors import EvaluationError
from d2b_gate.sources.dvc import Output, outputs
from d2b_gate.sources.globs import Globs
from d2b_gate.sources.pointers import contents
from d2b_gate.sources.selection import select

ROWS = b'{"text": "one"}\r\n{"text": "two"}\r\n'
GLOBS = Globs(("data/**/*.jsonl",))


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def lfs_pointer(content: bytes) -> bytes:
    oid = hashlib.sha256(content).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(content)}\n".encode()


def lfs_store(directory, content, stored=None):
    oid = hashlib.sha256(content).hexdigest()
    place = directory / "objects" / oid[:2] / oid[2:4] / oid
    place.parent.mkdir(parents=True)
    place.write_bytes(content if stored is None else stored)


def dvc_store(directory, name, content):
    place = directory / name[:2] / name[2:]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)


def read(git, repository, path, pointer, globs=GLOBS):
    git.stage(path, pointer)
    selection = select(repository.snapshot_index().files, globs)
    return [found for file in selection.files for found in contents(repository, file, globs)]


def refused(git, repository, path, pointer):
    with pytest.raises(EvaluationError) as caught:
        read(git, repository, path, pointer)
    assert caught.value.where == path
    assert caught.value.remedy
    return caught.value


def test_a_plain_file_stands_for_itself(git, repository):
    assert read(git, repository, "data/a.jsonl", ROWS) == [("data/a.jsonl", ROWS)]


def test_an_lfs_pointer_stands_for_its_object(git, repository):
    lfs_store(git.root / ".git" / "lfs", ROWS)
    assert read(git, repository, "data/a.jsonl", lfs_pointer(ROWS)) == [("data/a.jsonl", ROWS)]


def test_lfs_storage_may_be_elsewhere(git, repository, tmp_path):
    lfs_store(tmp_path / "store", ROWS)
    git("config", "lfs.storage", str(tmp_path / "store"))
    assert read(git, repository, "data/a.jsonl", lfs_pointer(ROWS)) == [("data/a.jsonl", ROWS)]
    git("config", "lfs.storage", "store")
    refused(git, repository, "data/a.jsonl", lfs_pointer(ROWS))
    lfs_store(git.root / ".git" / "store", ROWS)
    assert read(git, repository, "data/a.jsonl", lfs_pointer(ROWS)) == [("data/a.jsonl", ROWS)]


def test_an_lfs_object_that_is_not_here_names_the_command(git, repository):
    error = refused(git, repository, "data/it's.jsonl", lfs_pointer(ROWS))
    assert "is not here" in error.what
    assert error.remedy == """run: git lfs pull --include 'data/it'"'"'s.jsonl'"""


@pytest.mark.parametrize("stored", [b"", ROWS + b" ", ROWS.replace(b"one", b"eno")])
def test_an_lfs_object_with_another_hash_is_refused(git, repository, stored):
    lfs_store(git.root / ".git" / "lfs", ROWS, stored)
    assert "hash" in refused(git, repository, "data/a.jsonl", lfs_pointer(ROWS)).what


def test_an_lfs_pointer_with_another_size_is_refused(git, repository):
    lfs_store(git.root / ".git" / "lfs", ROWS)
    pointer = lfs_pointer(ROWS).replace(b"size ", b"size 1")
    assert "hash" in refused(git, repository, "data/a.jsonl", pointer).what


@pytest.mark.parametrize("rest", [b"", b"oid sha256:../../../etc/passwd\nsize 1\n", b"oid md5:00\nsize 1\n"])
def test_a_broken_lfs_pointer_is_never_data(git, repository, rest):
    pointer = b"version https://git-lfs.github.com/spec/v1\n" + rest
    assert "cannot be read" in refused(git, repository, "data/a.jsonl", pointer).what


def dvc_file(name: str, path: str = "a.jsonl", hash: str = "  hash: md5\n") -> str:
    return f"outs:\n- md5: {name}\n  size: 3\n{hash}  path: {path}\n"


@pytest.mark.parametrize("place", ["files/md5", "."])
def test_a_dvc_file_stands_for_its_output(git, repository, place):
    dvc_store(git.root / ".dvc" / "cache" / place, md5(ROWS), ROWS)
    assert read(git, repository, "data/a.jsonl.dvc", dvc_file(md5(ROWS))) == [("data/a.jsonl", ROWS)]


def test_an_older_dvc_hashed_unix_line_ends(git, repository):
    name = md5(ROWS.replace(b"\r\n", b"\n"))
    dvc_store(git.root / ".dvc" / "cache", name, ROWS)
    assert read(git, repository, "data/a.jsonl.dvc", dvc_file(name, hash="")) == [("data/a.jsonl", ROWS)]
    assert "hash" in refused(git, repository, "data/a.jsonl.dvc", dvc_file(name)).what


def test_a_dvc_output_that_is_not_here_names_the_command(git, repository):
    error = refused(git, repository, "data/a.jsonl.dvc", dvc_file(md5(ROWS)))
    assert error.remedy == "run: dvc fetch data/a.jsonl.dvc"


def test_a_dvc_output_that_no_glob_matches_is_not_looked_for(git, repository):
    assert read(git, repository, "data/a.bin.dvc", dvc_file(md5(ROWS), "a.bin")) == []


def listing(*members: tuple[str, bytes]) -> bytes:
    return json.dumps([{"md5": md5(content), "relpath": path} for path, content in members]).encode()


def test_a_dvc_directory_is_expanded(git, repository):
    members = [("a.jsonl", ROWS), ("deep/b.jsonl", b"{}"), ("c.bin", b"not stored")]
    cache = git.root / ".dvc" / "cache" / "files" / "md5"
    content = listing(*members)
    dvc_store(cache, f"{md5(content)}.dir", content)
    for _, inner in members[:2]:
        dvc_store(cache, md5(inner), inner)
    found = read(git, repository, "data/set.dvc", dvc_file(f"{md5(content)}.dir", "set"))
    assert found == [("data/set/a.jsonl", ROWS), ("data/set/deep/b.jsonl", b"{}")]


@pytest.mark.parametrize(
    "content",
    [
        b"{}",
        b"[1]",
        b"not json",
        b"[" * 100_000,
        listing(("../../escape.jsonl", ROWS)),
        listing(("/etc/x.jsonl", ROWS)),
        listing(("", ROWS)),
        b'[{"md5": "../../x", "relpath": "a.jsonl"}]',
    ],
)
def test_a_hostile_directory_listing_is_refused(git, repository, content):
    dvc_store(git.root / ".dvc" / "cache" / "files" / "md5", f"{md5(content)}.dir", content)
    error = refused(git, repository, "data/set.dvc", dvc_file(f"{md5(content)}.dir", "set"))
    assert "listing" in error.what


HEX = "a" * 32


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (dvc_file(HEX), [Output("d/a.jsonl", HEX, False)]),
        (dvc_file(HEX, hash=""), [Output("d/a.jsonl", HEX, True)]),
        (f"wdir: ../data\n{dvc_file(HEX)}", [Output("data/a.jsonl", HEX, False)]),
        (f"outs:\n  - path: 'it''s'\n    md5: {HEX}\n", [Output("d/it's", HEX, True)]),
        (f'outs:\n- path: "a b"\n  md5: {HEX}\nmeta:\n  md5: x\n', [Output("d/a b", HEX, True)]),
        (
            f"md5: {'b' * 32}\nfrozen: true\ndeps:\n- path: src\n  md5: {'c' * 32}\n{dvc_file(HEX)}",
            [Output("d/a.jsonl", HEX, False)],
        ),
        (
            f"outs:\n- md5: {HEX}\n  meta:\n    path: wrong\n  path: a\n- md5: {HEX}.dir\n  path: b\n",
            [Output("d/a", HEX, True), Output("d/b", f"{HEX}.dir", True)],
        ),
        (f"# comment\n\nouts:\r\n- md5: {HEX}\r\n  path: a\r\n", [Output("d/a", HEX, True)]),
    ],
)
def test_dvc_files_are_read_by_hand(text, expected):
    assert list(outputs(text.encode(), "d/x.dvc")) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "outs: []",
        "outs:\n",
        "outs:\n  path: a\n",
        "outs:\n- path: a\n",
        f"outs:\n- md5: {HEX}\n",
        f"outs:\n- md5: {HEX[:-1]}\n  path: a\n",
        f"outs:\n- md5: {HEX}\n  path: ../../a\n",
        f"outs:\n- md5: {HEX}\n  path: /etc/a\n",
        f"outs:\n- md5: {HEX}\n  path: &x a\n",
        f'outs:\n- md5: {HEX}\n  path: "a\\n"\n',
        f"outs: [{{md5: {HEX}, path: a}}]",
        "\xff",
        "x: y\n" * 300_000,
    ],
)
def test_other_yaml_is_refused(text):
    with pytest.raises(EvaluationError) as caught:
        outputs(text.encode("latin-1"), "x.dvc")
    assert caught.value.where == "x.dvc"


@given(st.text("outsmd5path:-' \"\n#.ax0", max_size=60))
def test_any_yaml_is_read_or_refused(text):
    try:
        found = outputs(text.encode(), "x.dvc")
    except EvaluationError:
        return
    assert found


def test_links_and_submodules_become_notes():
    files = [
        FileRef("data/a.jsonl", "1", "100644"),
        FileRef("data/b.jsonl", "2", "100755"),
        FileRef("data/link\x1b.jsonl", "3", "120000"),
        FileRef("data/sub.jsonl", "4", "160000"),
        FileRef("other", "5", "120000"),
        FileRef("x.dvc", "6", "100644"),
    ]
    selection = select(files, GLOBS)
    assert [file.path for file in selection.files] == ["data/a.jsonl", "data/b.jsonl", "x.dvc"]
    assert selection.notes == (
        "data/link\\u001b.jsonl is a symbolic link and was not read",
        "data/sub.jsonl is a submodule and was not read",
    )
