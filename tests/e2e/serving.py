"""A server for the tests: a real `d2b-gate serve` process over the fake backend, slowed down where that is needed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.cli.support import environment

TOKEN = "a-token-of-the-tests-that-is-long-enough"
CHECKOUT = Path(__file__).resolve().parent.parent.parent


@dataclass
class Server:
    """Starts, kills and starts again on the same state."""

    home: Path
    pause: float = 0.0  # seconds that each step of a training takes
    arguments: tuple[str, ...] = ()
    port: int = 0
    process: subprocess.Popen | None = field(default=None)

    @property
    def url(self) -> str:
        return json.loads((self.home / "ready.json").read_text())["url"]

    @property
    def settings(self) -> dict[str, str]:
        """What a user sets to trust this server."""
        own = {"D2B_GATE_REMOTE_URL": self.url, "D2B_GATE_REMOTE_TOKEN": TOKEN}
        own["D2B_GATE_ALLOW_FAKE"] = "1"
        return {**own, "D2B_GATE_CONFIG_DIR": str(self.home / "no-config")}

    def start(self) -> None:
        self.home.mkdir(exist_ok=True)
        ready = self.home / "ready.json"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "tests.e2e.slow_server", str(self.pause), "serve", "--backend", "fake"]
        command += ["--port", str(self.port), "--ready-file", str(ready), "--state", str(self.home / "state")]
        variables = environment(self.home, D2B_GATE_SERVE_TOKEN=TOKEN, PYTHONPATH=str(CHECKOUT))
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *self.arguments], cwd=self.home, env=variables, stdout=log, stderr=log
            )
        deadline = time.monotonic() + 60
        while not ready.exists():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.02)
        self.port = int(self.url.rpartition(":")[2])

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=60)

    def log(self) -> str:
        return (self.home / "log").read_text(errors="replace")


@contextmanager
def serving(home: Path, pause: float = 0.0, *arguments: str):
    server = Server(home, pause, arguments)
    server.start()
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()
