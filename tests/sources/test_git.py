from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from d2b_gate.core.change import Change, FileRef
from d2b_gate.core.errors import EvaluationError, UsageError
from d2b_gate.sources.git import INDEX, find_repository
from d2b_gate.sources.listing import raw_changes
from d2b_gate.sources.scopes import all_scope, paths_scope, range_scope, staged_scope

from .conftest import Git, blob_id

ONE, TWO = b'{"text": "one"}\n', b'{"text": "two"}\n'
ZEROS = "0" * 40


def test_the_first_commit_is_compared_with_nothing(git, repository):
    git.stage("a.jsonl", ONE)
    assert repository.head() == ""
    assert repository.staged_changes() == (Change("a.jsonl", "", blob_id(ONE)),)
    scope = staged_scope(repository)
    assert scope.label == "nothing -> index"
    assert scope.before.files == ()
    assert scope.after.files == (FileRef("a.jsonl", blob_id(ONE), "100644"),)


def test_an_empty_repository_has_no_changes(git, repository):
    assert repository.staged_changes() == ()
    assert repository.snapshot_index().files == ()


@pytest.mark.parametrize("broken", ["garbage", "1" * 40])
def test_a_broken_head_is_not_a_first_commit(git, repository, broken):
    git.stage("a", ONE)
    git.commit()
    (git.root / ".git" / "refs" / "heads" / "main").write_text(broken)
    with pytest.raises(EvaluationError):
        staged_scope(repository)


def test_modified_added_and_deleted_files(git, repository):
    for name in ("a", "b", "c"):
        git.stage(name, ONE)
    head = git.commit()
    git.stage("a", TWO)
    git("rm", "--quiet", "b")
    git.stage("d", TWO)
    git.write("c", "not staged")
    git.write("e", "not tracked")
    one, two = blob_id(ONE), blob_id(TWO)
    assert repository.staged_changes() == (Change("a", one, two), Change("b", one, ""), Change("d", "", two))
    assert staged_scope(repository).label == f"HEAD {head[:7]} -> index"
    assert [file.path for file in repository.snapshot_index().files] == ["a", "c", "d"]


def test_staged_changes_are_one_git_call(git, repository, monkeypatch):
    git.stage("a", ONE)
    calls = []
    real = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *args, **named: calls.append(args) or real(*args, **named))
    repository.staged_changes()
    assert len(calls) == 1


def test_a_rename_with_equal_content_is_a_deletion_and_an_addition_of_one_blob(git, repository):
    git.stage("a", ONE)
    git.commit()
    git("mv", "a", "b")
    git("config", "diff.renames", "copies")
    one = blob_id(ONE)
    assert repository.staged_changes() == (Change("a", one, ""), Change("b", "", one))


def test_a_change_of_mode_alone_is_none(git, repository):
    git.stage("a", ONE)
    git.commit()
    git("update-index", "--chmod=+x", "a")
    assert repository.staged_changes() == ()


def test_amend_compares_with_the_commit_that_is_replaced(git, repository):
    git.stage("a", ONE)
    git.commit()
    git.stage("a", TWO)
    assert repository.staged_changes() == (Change("a", blob_id(ONE), blob_id(TWO)),)
    git.commit("amended", "--amend")
    assert repository.staged_changes() == ()


def test_a_merge_compares_with_the_first_parent(git, repository):
    git.stage("a", ONE)
    base = git.commit()
    git("checkout", "--quiet", "-b", "side")
    git.stage("b", TWO)
    side = git.commit()
    git("checkout", "--quiet", "main")
    git.stage("c", TWO)
    git.commit()
    git("merge", "--quiet", "--no-commit", "side")
    assert repository.staged_changes() == (Change("b", "", blob_id(TWO)),)
    merged = git.commit("merge")
    assert repository.range_changes("HEAD^1", merged) == (Change("b", "", blob_id(TWO)),)
    assert repository.range_changes(base, side) == (Change("b", "", blob_id(TWO)),)


def test_a_conflict_is_refused(git, repository):
    git.stage("a", ONE)
    git.commit()
    git("checkout", "--quiet", "-b", "side")
    git.stage("a", TWO)
    git.commit()
    git("checkout", "--quiet", "main")
    git.stage("a", "three")
    git.commit()
    git("merge", "side", ok=False)
    for read in (repository.staged_changes, repository.snapshot_index):
        with pytest.raises(EvaluationError, match="conflict") as caught:
            read()
        assert caught.value.where == "a"


HOOK = """#!{python}
import os, sys
sys.path.insert(0, {package!r})
from pathlib import Path
from d2b_gate.sources.git import find_repository
from d2b_gate.sources.scopes import staged_scope
with find_repository(Path.cwd()) as repository, open({log!r}, "w") as log:
    print(Path(os.environ.get("GIT_INDEX_FILE", "")).name, file=log)
    for change in repository.staged_changes():
        print(change.path, repository.blob(change.new_oid).decode().strip(), file=log)
    print(*[file.path for file in staged_scope(repository).after.files], file=log)
"""


@pytest.mark.parametrize("worktree", [False, True])
@pytest.mark.parametrize("how", ["only", "all"])
def test_a_partial_commit_is_seen_through_the_temporary_index(git, tmp_path, how, worktree):
    git.stage("a", "one")
    git.stage("b", "one")
    git.commit()
    log = tmp_path / "log"
    hook = git.root / ".git" / "hooks" / "pre-commit"
    package = str(Path(__file__).parents[2])
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(HOOK.format(python=sys.executable, package=package, log=str(log)))
    hook.chmod(0o755)
    if worktree:
        git("worktree", "add", "--quiet", "../second")
        git.root = tmp_path / "second"
    git.stage("a", "two")
    git.write("b", "two")
    options = ["--", "b"] if how == "only" else ["--all"]
    git("commit", "--quiet", "-m", "partial", *options)
    index, *lines = log.read_text().splitlines()
    assert index not in ("", "index")
    assert lines == (["b two"] if how == "only" else ["a two", "b two"]) + ["a b"]


def test_a_hook_sees_patches_staged_in_part(git, repository):
    git.stage("a", ONE)
    git.commit()
    git.stage("a", ONE + TWO)
    git.write("a", ONE + TWO + b"three")
    (change,) = repository.staged_changes()
    assert repository.blob(change.new_oid) == ONE + TWO


ODD = [
    b" lead",
    b"new\nline",
    b"tab\tquote\"'",
    b"-dash",
    b"--",
    b"caf\xc3\xa9",
    b"not\xffutf8",
    b"a:b",
    b"*",
    b"[x]",
    b"\\",
]


def test_odd_names(git, repository):
    for name in ODD:
        git.stage(b"d/" + name, ONE)
    paths = sorted((b"d/" + name).decode("utf-8", "surrogateescape") for name in ODD)
    assert sorted(change.path for change in repository.staged_changes()) == paths
    assert sorted(file.path for file in repository.snapshot_index().files) == paths
    git.commit()
    assert sorted(file.path for file in repository.snapshot_commit("HEAD").files) == paths
    assert repository.range_changes(ZEROS, "HEAD") != ()
    for path in paths:
        assert [file.path for file in repository.files_at(INDEX, [path])] == [path]
        assert repository.read_text_at("HEAD", path).encode() == ONE


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.binary(min_size=1).filter(lambda name: b"\0" not in name),
            *[st.sampled_from([ZEROS, blob_id(ONE), blob_id(TWO)])] * 2,
        )
    )
)
def test_raw_listings_are_parsed_whatever_the_names(entries):
    listing = b"".join(f":100644 100644 {old} {new} M\0".encode() + name + b"\0" for name, old, new in entries)
    found = raw_changes(listing)
    expected = [
        (name.decode("utf-8", "surrogateescape"), old.replace(ZEROS, ""), new.replace(ZEROS, ""))
        for name, old, new in entries
        if old != new
    ]
    assert [(change.path, change.old_oid, change.new_oid) for change in found] == expected


def test_links_and_submodules_are_listed_with_their_mode(git, repository, another):
    other = another("other")
    other.stage("inside.jsonl", ONE)
    other.commit()
    git("submodule", "--quiet", "add", str(other.root), "sub.jsonl")
    (git.root / "link.jsonl").symlink_to("/etc/passwd")
    git("add", "link.jsonl")
    modes = {file.path: file.mode for file in repository.snapshot_index().files}
    assert modes == {".gitmodules": "100644", "link.jsonl": "120000", "sub.jsonl": "160000"}
    assert {change.path for change in repository.staged_changes()} == set(modes)


def test_user_settings_change_nothing(git, repository):
    git.stage("d/é.jsonl", ONE)
    git.commit()
    git.stage("d/é.jsonl", TWO)
    git("config", "diff.external", "false")
    git("config", "diff.noprefix", "true")
    git("config", "diff.relative", "true")
    git("config", "color.ui", "always")
    git("config", "core.quotePath", "true")
    git("config", "core.abbrev", "4")
    git.write(".gitattributes", "* diff=broken\n")
    git("config", "diff.broken.textconv", "false")
    assert repository.staged_changes() == (Change("d/é.jsonl", blob_id(ONE), blob_id(TWO)),)
    assert len(repository.range_changes(ZEROS, "HEAD")) == 1


def test_a_sha256_repository(another):
    try:
        git = another("sha256", "--object-format=sha256")
    except AssertionError:
        pytest.skip("this git has no sha256")
    git.stage("a", ONE)
    git.commit()
    git.stage("a", TWO)
    with find_repository(git.root) as repository:
        (change,) = repository.staged_changes()
        assert len(change.new_oid) == 64
        assert repository.blob(change.new_oid) == TWO
        assert repository.blob_size(change.old_oid) == len(ONE)
        assert len(repository.range_changes("0" * 64, "HEAD")) == 1


def test_a_worktree_shares_the_common_directory(git, tmp_path):
    git.stage("a", ONE)
    git.commit()
    git("worktree", "add", "--quiet", "../second")
    with find_repository(tmp_path / "second") as repository:
        assert repository.root == tmp_path / "second"
        assert repository.common == git.root / ".git"
        assert [file.path for file in repository.snapshot_commit("HEAD").files] == ["a"]


def test_a_subdirectory_belongs_to_its_repository(git):
    git.stage("d/e/a", ONE)
    with find_repository(git.root / "d" / "e") as repository:
        assert repository.root == git.root
        assert repository.staged_changes() == (Change("d/e/a", "", blob_id(ONE)),)


def test_no_repository_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="not a git repository"):
        find_repository(tmp_path)
    with pytest.raises(UsageError):
        find_repository(Git(tmp_path / "r").root / ".git")
    (tmp_path / "file").touch()
    for place in ("file", "absent"):
        with pytest.raises(EvaluationError, match="not a directory"):
            find_repository(tmp_path / place)


def test_no_git_is_an_evaluation_error(git, repository, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EvaluationError, match="git"):
        repository.staged_changes()


def test_a_failing_command_shows_git_s_first_line(git, repository):
    (git.root / ".git" / "index").write_bytes(b"broken\x1b[31m")
    with pytest.raises(EvaluationError) as caught:
        repository.staged_changes()
    assert caught.value.what.startswith("git diff failed: ")
    assert "index" in caught.value.what
    assert caught.value.what.isprintable()


@pytest.mark.parametrize("ref", ["absent", "-x", "--all", "", "HEAD:a", "a\x1bb", "1" * 40])
def test_an_unknown_ref_is_refused(git, repository, ref):
    git.stage("a", ONE)
    git.commit()
    with pytest.raises(EvaluationError, match="knows no commit") as caught:
        range_scope(repository, ref, "HEAD")
    assert str(caught.value).isprintable()


def test_range_scopes(git, repository):
    git.stage("a", ONE)
    first = git.commit()
    git.stage("b", TWO)
    git.commit()
    git("tag", "v1")
    scope = range_scope(repository, first, "v1")
    assert scope.label == f"{first[:7]} -> v1 {git('rev-parse', 'v1')[:7]}"
    assert [len(state.files) for state in (scope.before, scope.after)] == [1, 2]
    assert range_scope(repository, ZEROS, "HEAD").before == repository.snapshot_nothing()
    assert all_scope(repository).label == "nothing -> index"


def test_paths_scopes(git, repository, monkeypatch):
    for name in ("d/a", "d/e/b", "da", "c"):
        git.stage(name, ONE)
    monkeypatch.chdir(git.root / "d")

    def under(*paths):
        return [file.path for file in paths_scope(repository, paths).after.files]

    assert under("a") == ["d/a"]
    assert under(".") == ["d/a", "d/e/b"]
    assert under("..") == ["c", "d/a", "d/e/b", "da"]
    assert under("../c", "e/") == ["c", "d/e/b"]
    assert under(str(git.root / "d")) == ["d/a", "d/e/b"]
    git.write("d/untracked", ONE)
    for path in ("untracked", "absent", "d"):
        with pytest.raises(UsageError, match="git add"):
            under(path)
    with pytest.raises(UsageError, match="outside"):
        under("../..")


def test_paths_scopes_follow_links_to_directories_outside(git, repository, tmp_path, monkeypatch):
    git.stage("a", ONE)
    (tmp_path / "alias").symlink_to(git.root)
    (git.root / "link").symlink_to("a")
    git("add", "link")
    monkeypatch.chdir(tmp_path)
    assert [file.path for file in paths_scope(repository, ["alias/a", "alias/link"]).after.files] == ["a", "link"]
    assert len(paths_scope(repository, ["alias"]).after.files) == 2


def test_text_at_a_commit_and_at_the_index(git, repository):
    git.stage(".github/d2b-gate.toml", "schema = 1")
    git.commit()
    git.stage(".github/d2b-gate.toml", "schema = 2")
    git.write(".github/d2b-gate.toml", "schema = 3")
    path = ".github/d2b-gate.toml"
    assert repository.read_text_at("HEAD", path) == "schema = 1"
    assert repository.read_text_at(INDEX, path) == "schema = 2"
    for ref in ("HEAD", INDEX):
        assert [file.path for file in repository.files_at(ref, ["d2b-gate.toml", path, ".github"])] == [path]
        with pytest.raises(UsageError, match="is not in"):
            repository.read_text_at(ref, "absent")


def test_text_that_is_a_link_or_not_utf8_is_refused(git, repository):
    (git.root / "link").symlink_to("/etc/passwd")
    git("add", "link")
    git.stage("latin", b"caf\xe9")
    with pytest.raises(UsageError, match="regular"):
        repository.read_text_at(INDEX, "link")
    with pytest.raises(UsageError, match="UTF-8"):
        repository.read_text_at(INDEX, "latin")


def test_a_partial_clone_names_the_fetch(git, another, tmp_path):
    git.stage("a", ONE)
    git.commit()
    git("config", "uploadpack.allowFilter", "true")
    clone = another("clone")
    clone("remote", "add", "origin", git.root.as_uri())
    clone("fetch", "--quiet", "--filter=blob:none", "origin", "main")
    clone("update-ref", "refs/heads/main", "FETCH_HEAD")
    shutil.rmtree(git.root)
    with find_repository(clone.root) as repository:
        (file,) = repository.snapshot_commit("HEAD").files
        with pytest.raises(EvaluationError) as caught:
            repository.blob(file.oid)
        assert "git fetch" in caught.value.remedy


def test_hidden_environment_is_left_alone(git, repository, monkeypatch, tmp_path):
    git.stage("a", ONE)
    other = tmp_path / "other-index"
    git.write("b", TWO)
    git("add", "b", GIT_INDEX_FILE=str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other))
    assert [change.path for change in repository.staged_changes()] == ["b"]
    assert "GIT_OPTIONAL_LOCKS" not in os.environ
