"""A server as a process of its own, to be killed and started again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.server import slow
from tests.server.support import OTHER, TOKEN, Client

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


class Process:
    """One started server."""

    def __init__(self, home: Path, *flags: str, pause: float = 0.0, python: tuple[str, ...] = ()) -> None:
        self.home = home
        self.log = home / "log.txt"
        self.ready = home / "ready.json"
        self.book = home / "book.txt"
        tokens = home / "tokens.toml"
        tokens.touch(0o600)
        tokens.write_text(f'one = "{TOKEN}"\nother = "{OTHER}"\n')
        command = python or (sys.executable, "-m", "tests.server.slow_serve", "--backend", "slow")
        place = (
            "--port",
            "0",
            "--ready-file",
            str(self.ready),
            "--state",
            str(home / "state"),
            "--tokens",
            str(tokens),
        )
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("D2B_GATE_")},
            "D2B_GATE_CACHE_DIR": str(home / "cache"),
            slow.PAUSE: str(pause),
            slow.BOOK: str(self.book),
        }
        with self.log.open("a") as log:
            self.popen = subprocess.Popen([*command, *place, *flags], cwd=ROOT, env=environment, stderr=log)

    def client(self, token: str = TOKEN) -> Client:
        return Client(self.url(), token)

    def url(self) -> str:
        deadline = time.monotonic() + 30
        while not (self.ready.exists() and json.loads(self.ready.read_text())["pid"] == self.popen.pid):
            assert self.popen.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)
        return str(json.loads(self.ready.read_text())["url"])

    def computed(self) -> list[str]:
        """Keys of the rows that were computed, in order, by all processes of this home."""
        return [line.split()[0] for line in self.book.read_text().splitlines()] if self.book.exists() else []


@contextmanager
def started(home: Path, *flags: str, pause: float = 0.0, python: tuple[str, ...] = ()) -> Iterator[Process]:
    """A process that is gone after the block."""
    process = Process(home, *flags, pause=pause, python=python)
    try:
        yield process
    finally:
        process.popen.kill()
        process.popen.wait(10)


def until(true: object, seconds: float = 15.0) -> None:
    """Wait until a function says yes."""
    deadline = time.monotonic() + seconds
    while not true():  # type: ignore[operator] # a function of a test
        assert time.monotonic() < deadline
        time.sleep(0.02)
