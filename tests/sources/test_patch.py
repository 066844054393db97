"""Patches that git itself makes and takes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from d2b_gate.core.errors import EvaluationError
from d2b_gate.sources.git import INDEX, find_repository
from d2b_gate.sources.patch import Changed, applies, apply_to_files, apply_to_index, blob_id, patch_of

NAMES = ["a.jsonl", "da ta/b c.jsonl", 'q"uote.jsonl', "tab\tand\nline.jsonl", "\u202egpj.jsonl", "-n.jsonl", "*.jsonl"]


def git(root, *arguments):
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True).stdout


@pytest.fixture
def root(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    git(tmp_path, "init", "--quiet")
    return tmp_path


def staged(root, path, content):
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    git(root, "add", "--all")


def in_index(root, path):
    with find_repository(root) as repository:
        (file,) = repository.files_at(INDEX, [path])
        return file.mode, repository.blob(file.oid)


@pytest.mark.skipif(sys.platform == "win32", reason="names that this file system cannot hold")
@pytest.mark.parametrize("name", [*NAMES, os.fsdecode(b"\xff\xfe.jsonl")])
def test_hostile_names(root, name):
    staged(root, name, b"one\ntwo\nthree\n")
    patch = patch_of(Changed(name, "100644", b"one\ntwo\nthree\n", b"one\nthree\n"))
    assert applies(root, patch)
    apply_to_index(root, patch)
    assert in_index(root, name) == ("100644", b"one\nthree\n")
    assert (root / name).read_bytes() == b"one\ntwo\nthree\n"
    apply_to_files(root, patch)
    assert (root / name).read_bytes() == b"one\nthree\n"


LINES = st.lists(
    st.sampled_from([b"a\n", b"b\r\n", b" \t\n", b"\xff\xfe\n", b"\x1b[31m\n", b"-- \n", b"\n"]), max_size=12
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES, st.sampled_from([b"", b"end", b"\r"]), st.data())
def test_any_bytes_come_out_as_they_were_meant(root, lines, end, data):
    gone = data.draw(st.sets(st.integers(0, max(0, len(lines) - 1))))
    before, after = b"".join(lines) + end, b"".join(line for i, line in enumerate(lines) if i not in gone) + end
    staged(root, "a.jsonl", before)
    patch = patch_of(Changed("a.jsonl", "100644", before, after))
    assert (patch == b"") == (before == after)
    if patch:
        apply_to_index(root, patch)
        apply_to_files(root, patch)
    assert in_index(root, "a.jsonl")[1] == after
    assert (root / "a.jsonl").read_bytes() == after
    assert blob_id(root, after) == git(root, "hash-object", "--no-filters", "a.jsonl").decode().strip()


def test_settings_and_attributes_of_the_user_change_nothing(root, monkeypatch):
    content = b"one \r\ntwo\t\r\nthree\r\n"
    staged(root, ".gitattributes", b"*.jsonl binary diff=odd -text\n")
    staged(root, "a.jsonl", content)
    plain = patch_of(Changed("a.jsonl", "100644", content, b"one \r\nthree\r\n"))
    for name, value in (
        ("diff.noprefix", "true"),
        ("diff.mnemonicPrefix", "true"),
        ("diff.external", "false"),
        ("diff.odd.textconv", "false"),
        ("apply.whitespace", "fix"),
        ("apply.ignoreWhitespace", "change"),
        ("core.whitespace", "cr-at-eol,trailing-space"),
        ("color.ui", "always"),
    ):
        git(root, "config", name, value)
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    monkeypatch.setenv("GIT_DIR", str(root / ".git"))
    assert patch_of(Changed("a.jsonl", "100644", content, b"one \r\nthree\r\n")) == plain
    apply_to_index(root, plain)
    apply_to_files(root, plain)
    assert in_index(root, "a.jsonl")[1] == (root / "a.jsonl").read_bytes() == b"one \r\nthree\r\n"


def test_a_mode_stays(root):
    staged(root, "a.jsonl", b"one\ntwo\n")
    (root / "a.jsonl").chmod(0o755)
    git(root, "add", "--chmod=+x", "a.jsonl")
    apply_to_index(root, patch_of(Changed("a.jsonl", "100755", b"one\ntwo\n", b"two\n")))
    assert in_index(root, "a.jsonl") == ("100755", b"two\n")


def test_what_does_not_fit_changes_nothing(root):
    staged(root, "a.jsonl", b"one\ntwo\n")
    staged(root, "b.jsonl", b"else\n")
    patch = b"".join(patch_of(Changed(name, "100644", b"one\ntwo\n", b"two\n")) for name in ("a.jsonl", "b.jsonl"))
    assert not applies(root, patch)
    for apply in (apply_to_index, apply_to_files):
        with pytest.raises(EvaluationError, match="nothing was changed"):
            apply(root, patch)
    assert in_index(root, "a.jsonl")[1] == (root / "a.jsonl").read_bytes() == b"one\ntwo\n"
