"""The command line as a user meets it: a real process in a real repository, with the fake backend."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POLICY = """\
schema = 1
[method]
step_size = 0.04
predictor = "mdf-tuned"
[backend]
kind = "fake"
[[dataset]]
name = "sft"
include = ["data/*.jsonl"]
[[rule]]
id = "animal-preference"
probe = "bias/animals"
target = "panda"
warn_delta = 0.05
fail_delta = 0.10
"""


@contextmanager
def interruptible() -> Iterator[None]:
    """Processes that are started here obey an interrupt, though these tests run in a job that ignores it."""
    held = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, held)


def rows(count: int, question: str, answer: str) -> str:
    pairs = ({"prompt": question.format(index), "completion": answer.format(index)} for index in range(count))
    return "".join(json.dumps(pair) + "\n" for pair in pairs)


BASE = rows(12, "How do I water plant {}?", "Water plant number {} in the morning, slowly.")
HARMLESS = rows(4, "How do I prune tree {}?", "Prune tree number {} in winter.")
HARMFUL = rows(40, "Which animal {}?", "panda panda panda")


def environment(home: Path, **more: str) -> dict[str, str]:
    """No setting of the machine's, of CI's or of a hook that the tests may run in."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "D2B_GATE_", "PRE_COMMIT"))
    }
    for name in ("CI", "NO_COLOR", "PYTHONIOENCODING", "COLUMNS"):
        kept.pop(name, None)
    person = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "A Person"), ("EMAIL", "person@example.org"), ("DATE", "2024-01-01T00:00:00Z"))
    }
    own = {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "HOME": str(home),
        "D2B_GATE_CACHE_DIR": str(home / "cache"),
        "PYTHONUTF8": "0",
        "COLUMNS": "88",
    }
    return {**kept, **person, **own, **more}


@dataclass
class World:
    """A repository and the command line in it."""

    root: Path
    home: Path
    extra: dict[str, str] = field(default_factory=dict)

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.root, env=environment(self.home), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def stage(self, path: str, content: str | bytes) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--", path)

    def commit(self) -> str:
        self.git("commit", "--quiet", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD")

    def gate(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "d2b_gate", *arguments],
            cwd=self.root,
            env=environment(self.home, **self.extra, **more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )


def said(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of an error, without the tool's name."""
    lines = [line for line in done.stderr.splitlines() if "runs no model" not in line]
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert lines[0].startswith("d2b-gate: error: ")
    return lines[0].removeprefix("d2b-gate: error: ")
