"""Why a run of GitHub Actions was started, as the runner tells it: by variables and a file of JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class RunnerEvent:
    """One event; ``payload`` is text of GitHub and of whoever caused it, so every use of it is checked."""

    name: str
    payload: Mapping[str, object]
    server: str  # https://github.com, or that of an Enterprise instance
    repository: str  # owner/name
    ref: str  # refs/heads/main, refs/pull/1/merge ...
    sha: str  # the commit that the event is about
    protected: bool  # whether the repository's owner protects the ref

    def text(self, *keys: str) -> str:
        """A text of the payload; empty where it is absent or something else."""
        found: object = self.payload
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        return found if isinstance(found, str) else ""

    @property
    def default_branch(self) -> str:
        """The name of the repository's default branch."""
        return self.text("repository", "default_branch")

    @property
    def pull_number(self) -> str:
        """The pull request's number in digits; empty where the event is of none."""
        number = self.payload.get("number")
        return str(number) if isinstance(number, int) and number > 0 and number is not True else ""

    @property
    def is_from_a_fork(self) -> bool:
        """Whether a pull request's commits come from another repository, or from one that is gone."""
        head = self.text("pull_request", "head", "repo", "full_name")
        return self.name.startswith("pull_request") and head.casefold() != self.repository.casefold()


def read_event(variables: Mapping[str, str]) -> RunnerEvent:
    """Read the event that the runner's variables tell of.

    Raises:
        UsageError: this is no run of GitHub Actions, or its file cannot be read.
    """
    absent = [name for name in _NEEDED if not variables.get(name)]
    if absent:
        raise UsageError(f"{', '.join(absent)} is not set", remedy="this runs as a step of GitHub Actions only")
    return RunnerEvent(
        name=variables["GITHUB_EVENT_NAME"],
        payload=_payload(Path(variables["GITHUB_EVENT_PATH"])),
        server=(variables.get("GITHUB_SERVER_URL") or "https://github.com").rstrip("/"),
        repository=variables["GITHUB_REPOSITORY"],
        ref=variables.get("GITHUB_REF", ""),
        sha=variables["GITHUB_SHA"],
        protected=variables.get("GITHUB_REF_PROTECTED") == "true",
    )


_NEEDED = ("GITHUB_EVENT_NAME", "GITHUB_EVENT_PATH", "GITHUB_REPOSITORY", "GITHUB_SHA")


def _payload(path: Path) -> Mapping[str, object]:
    try:
        payload = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError("the event cannot be read", where=str(path), remedy="run the job again") from error
    if not isinstance(payload, dict):
        raise UsageError("the event is not a JSON object", where=str(path), remedy="run the job again")
    return payload
