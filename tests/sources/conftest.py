from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from d2b_gate.sources.git import Repository, find_repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PERSON = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "A Person"), ("EMAIL", "person@example.org"), ("DATE", "2024-01-01T00:00:00Z"))
}


class Git:
    """A real repository in a temporary directory."""

    def __init__(self, root: Path, *options: str) -> None:
        self.root = root
        root.mkdir(exist_ok=True)
        self("init", "--quiet", "--initial-branch=main", *options)

    def __call__(self, *arguments: str | bytes, ok: bool = True, **environment: str) -> str:
        done = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *arguments],
            cwd=self.root,
            env={**os.environ, **environment},
            capture_output=True,
            check=False,
        )
        assert not ok or done.returncode == 0, done.stderr.decode()
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    def write(self, path: str | bytes, content: str | bytes) -> None:
        place = os.fsencode(self.root) + b"/" + os.fsencode(path)
        Path(os.fsdecode(place)).parent.mkdir(parents=True, exist_ok=True)
        Path(os.fsdecode(place)).write_bytes(content.encode() if isinstance(content, str) else content)

    def stage(self, path: str | bytes, content: str | bytes) -> None:
        self.write(path, content)
        self("add", "--", path)

    def commit(self, message: str = "change", *options: str) -> str:
        self("commit", "--quiet", "--allow-empty", "-m", message, *options)
        return self("rev-parse", "HEAD")


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No configuration of the machine's, and no hook that the tests may run in, reaches the repositories."""
    for name in list(os.environ):
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(tmp_path), **PERSON}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def git(tmp_path: Path) -> Git:
    return Git(tmp_path / "repository")


@pytest.fixture
def another(tmp_path: Path) -> Callable[..., Git]:
    return lambda name, *options: Git(tmp_path / name, *options)


@pytest.fixture
def repository(git: Git) -> Iterator[Repository]:
    with find_repository(git.root) as found:
        yield found


def blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
