"""A job of a workflow that calls the gate against the small GitHub."""

from __future__ import annotations

import io
import json
import os
import subprocess
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from d2b_gate.cli import main
from d2b_gate.core.wire import verdict_to_mapping
from tests.cli.support import environment
from tests.forge.server import REPOSITORY, TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from d2b_gate.core.verdict import Verdict
    from tests.forge.server import GitHub

HEAD = "a1" * 20
BLANK = dict.fromkeys(
    (
        *("GITHUB_EVENT_PATH", "GITHUB_EVENT_NAME", "GITHUB_REPOSITORY", "GITHUB_API_URL", "GITHUB_TOKEN"),
        *("GITHUB_SERVER_URL", "GITHUB_RUN_ID", "GITHUB_SHA", "GITHUB_RUN_ATTEMPT", "GITHUB_WORKFLOW_REF"),
        *("GITHUB_REF", "GITHUB_ACTIONS", "GITLAB_CI", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"),
    ),
    "",
)


@dataclass
class Job:
    """A working directory, an environment, and the command."""

    place: Path
    github: GitHub
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.variables = {
            **BLANK,
            "GITHUB_API_URL": self.github.url,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_RUN_ID": "77",
            "CI": "true",
            **self.variables,
        }

    def event(self, name: str, content: object) -> None:
        (self.place / "event.json").write_text(json.dumps(content))
        self.variables |= {"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(self.place / "event.json")}

    def pull_request(self, number: int = 7, sha: str = HEAD) -> None:
        head = {"ref": "topic", "sha": sha, "repo": {"full_name": REPOSITORY}}
        self.event("pull_request", {"action": "synchronize", "number": number, "pull_request": _pull(number, head)})

    def workflow_run(self, sha: str = HEAD, *, of: str = "pull_request", owner: str = "acme") -> None:
        run = {
            "id": 76,
            "event": of,
            "head_sha": sha,
            "head_branch": "topic",
            "head_repository": {"full_name": f"{owner}/data", "owner": {"login": owner}},
            "pull_requests": [],
            "conclusion": "failure",
        }
        self.event("workflow_run", {"action": "completed", "workflow_run": run})

    def result(self, verdict: Verdict, name: str = "result.json") -> str:
        (self.place / name).write_text(json.dumps(verdict_to_mapping(verdict)))
        return name

    def gate(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the command line in this process: a hundred tests would otherwise start Python a hundred times."""
        told, shown = io.StringIO(), io.StringIO()
        variables = environment(self.place, **{**self.variables, **more})
        around = mock.patch.dict(os.environ, variables, clear=True)
        with around, inside(self.place), redirect_stdout(shown), redirect_stderr(told):
            code = ended(arguments)
        assert TOKEN not in shown.getvalue() + told.getvalue()
        assert "this is a bug" not in told.getvalue(), told.getvalue()
        return subprocess.CompletedProcess(arguments, code, shown.getvalue(), told.getvalue())

    def comment(self, verdict: Verdict, *flags: str, **more: str) -> subprocess.CompletedProcess[str]:
        return self.gate("comment", self.result(verdict), *flags, **more)


def _pull(number: int, head: dict[str, object]) -> dict[str, object]:
    return {"number": number, "state": "open", "head": head, "base": {"ref": "main", "sha": "b" * 40}}


def ended(arguments: tuple[str, ...]) -> int:
    try:
        return main(arguments)
    except SystemExit as leaving:  # argparse
        return int(leaving.code or 0)


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """`contextlib.chdir`, which Python 3.10 has not."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
