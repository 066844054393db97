"""A forge on disk: a bare repository, people who push to it, and checkouts as actions/checkout makes them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.action.runner import Runner
from tests.cli.support import BASE, POLICY, environment

if TYPE_CHECKING:
    from pathlib import Path

REPOSITORY = "acme/data"


@dataclass
class Event:
    """What started a run."""

    name: str
    sha: str
    ref: str
    payload: dict[str, object] = field(default_factory=dict)
    protected: bool = False


class Forge:
    """``server/acme/data`` is the repository; commits are made in a working clone of somebody's."""

    def __init__(self, home: Path) -> None:
        self.home, self.server, self.desk = home, home / "server", home / "desk"
        self.origin = self.server / REPOSITORY
        self.number = 0
        self.git(home, "init", "--quiet", "--bare", "--initial-branch=main", str(self.origin))
        self.git(home, "init", "--quiet", "--initial-branch=main", str(self.desk))
        self.git(self.desk, "remote", "add", "origin", str(self.origin))

    def git(self, place: Path, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=place, env=environment(self.home), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, branch: str, files: dict[str, str | bytes], *, after: str = "") -> str:
        """Commit files on a branch, which begins at ``after`` if it is new, and push it."""
        if after:
            self.git(self.desk, "checkout", "--quiet", "-b", branch, after)
        elif self.git(self.desk, "branch", "--list", branch):
            self.git(self.desk, "checkout", "--quiet", branch)
        for path, content in files.items():
            place = self.desk / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git(self.desk, "add", "--all")
        self.git(self.desk, "commit", "--quiet", "--allow-empty", "-m", f"change {branch}")
        self.git(self.desk, "push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}")
        return self.git(self.desk, "rev-parse", "HEAD")

    def pull(self, branch: str, *, repository: str | None = REPOSITORY, base: str = "main") -> Event:
        """Open a pull request: the forge merges it into the base, and tells of base and head."""
        self.number += 1
        stood, head = (self.git(self.desk, "rev-parse", name) for name in (base, branch))
        self.git(self.desk, "checkout", "--quiet", "--detach", base)
        self.git(self.desk, "merge", "--quiet", "--no-ff", "-m", f"Merge {head} into {stood}", branch)
        merge = self.git(self.desk, "rev-parse", "HEAD")
        ref = f"refs/pull/{self.number}/merge"
        self.git(self.desk, "push", "--quiet", "origin", f"HEAD:{ref}")
        self.git(self.desk, "checkout", "--quiet", base)
        there = None if repository is None else {"full_name": repository}
        pull = {"number": self.number, "head": {"sha": head, "ref": branch, "repo": there}}
        pull["base"] = {"sha": stood, "ref": base, "repo": {"full_name": REPOSITORY}}
        return Event("pull_request", merge, ref, {"number": self.number, "pull_request": pull})

    def push(self, branch: str, before: str, *, forced: bool = False, protected: bool = False) -> Event:
        after = self.git(self.desk, "rev-parse", branch)
        payload = {"before": before, "after": after, "forced": forced, "ref": f"refs/heads/{branch}"}
        return Event("push", after, f"refs/heads/{branch}", payload, protected)

    def checkout(self, commit: str, *, depth: int = 2) -> Path:
        """A clone as actions/checkout leaves it; depth 0 is all history of all branches."""
        self.number += 1
        place = self.home / f"work-{self.number}" / "data"
        self.git(self.home, "init", "--quiet", str(place))
        self.git(place, "remote", "add", "origin", f"file://{self.origin}")
        flags = [f"--depth={depth}"] if depth else []
        branches = [] if depth else ["+refs/heads/*:refs/remotes/origin/*"]
        self.git(place, "fetch", "--quiet", "--no-tags", *flags, "origin", *branches, commit)
        self.git(place, "checkout", "--quiet", "--detach", commit)
        return place

    def runner(self, event: Event, place: Path, **more: str) -> Runner:
        """A job of this event in this checkout."""
        temporary = place.parent / "temp"
        temporary.mkdir(exist_ok=True)
        told = temporary / "event.json"
        payload = {"repository": {"full_name": REPOSITORY, "default_branch": "main"}, **event.payload}
        told.write_text(json.dumps(payload))
        variables = {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(place),
            "GITHUB_EVENT_NAME": event.name,
            "GITHUB_EVENT_PATH": str(told),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_SERVER_URL": f"file://{self.server}",
            "GITHUB_RUN_ID": "77",
            "GITHUB_REF": event.ref,
            "GITHUB_REF_PROTECTED": str(event.protected).lower(),
            "GITHUB_SHA": event.sha,
            "RUNNER_TEMP": str(temporary),
        }
        github = {"event_name": event.name, "token": "not-a-token", "repository": REPOSITORY, "event": payload}
        return Runner(place, temporary, environment(self.home, **{**variables, **more}), github)

    def act(self, event: Event, *, depth: int = 2, at: str = "", **inputs: str):
        """Check out and run the action, with an interpreter that has everything."""
        place = self.checkout(at or event.sha, depth=depth)
        return self.runner(event, place).run(**{"python": sys.executable, **inputs})


def founded(home: Path) -> Forge:
    """A forge whose main branch has a policy and rows."""
    forge = Forge(home)
    forge.commit("main", {"d2b-gate.toml": POLICY, "data/base.jsonl": BASE, "README.md": "one\n"})
    return forge
