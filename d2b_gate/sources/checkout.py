"""The commits of a CI checkout, with what it lacks fetched from the repository that the event names.

Nothing that the checkout's own configuration can name is run or asked: no hook, monitor, helper or remote of it.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from d2b_gate.core.errors import UsageError
from d2b_gate.core.printable import printable
from d2b_gate.sources.errors import first_line
from d2b_gate.sources.process import environment

if TYPE_CHECKING:
    from pathlib import Path

COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
"""A full commit id; nothing shorter, and no name, is taken from an event."""

_SAFE = (
    *("core.fsmonitor=false", f"core.hooksPath={os.devnull}", "core.sshCommand=false", "core.alternateRefsCommand="),
    *("credential.helper=", "protocol.ext.allow=never", "fetch.recurseSubmodules=false", "gc.auto=0"),
)
_BRANCH = "refs/d2b-gate/branch"
"""Where the tip of a fetched branch is kept; no other tool's refs are touched."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A working tree, the URL of its repository, and the token that may read it (empty: none)."""

    root: Path
    url: str
    token: str = ""

    def head(self) -> str:
        """The commit id of HEAD.

        Raises:
            UsageError: there is no usable repository, or no commit.
        """
        done = self._git("rev-parse", "--verify", "--end-of-options", "HEAD^{commit}")
        if done.returncode:
            what = f"there is no commit to judge ({first_line(done.stderr)})"
            raise UsageError(what, remedy="run actions/checkout in a step before this one")
        return done.stdout.decode("ascii").strip()

    def parents(self, commit: str) -> tuple[str, ...]:
        """The parents as the commit names them, whether or not a shallow clone has them."""
        head, _, _ = self._git("cat-file", "commit", commit).stdout.partition(b"\n\n")
        lines = head.decode("utf-8", "replace").split("\n")
        return tuple(line.removeprefix("parent ") for line in lines if line.startswith("parent "))

    def bring(self, commit: str) -> str:
        """Return the commit id, its files fetched if they are not here.

        Raises:
            UsageError: it is neither here nor can it be fetched.
        """
        if not COMMIT.fullmatch(commit):
            raise UsageError(f"{printable(commit)!r} is no full commit id", remedy="run the job again")
        if not self.has(commit):
            self._fetch(commit, "--depth=1" if self._is_shallow() else "--no-tags")
        return commit

    def has(self, commit: str) -> bool:
        """Whether the commit is here."""
        return not self._git("cat-file", "-e", f"{commit}^{{commit}}").returncode

    def is_ancestor(self, commit: str, of: str) -> bool:
        """Whether one commit is the other, or one before it, as far as this clone knows."""
        return not self._git("merge-base", "--is-ancestor", commit, of).returncode

    def is_on_branch(self, commit: str, branch: str) -> bool:
        """Whether the commit is in the history of a branch of the repository; fetches what that takes.

        The server is asked: an earlier job on the same runner could have written the clone's own refs.
        """
        if self._tip(branch) == commit:
            return True
        self._fetch_branch(branch)
        if not self.is_ancestor(commit, _BRANCH) and self._is_shallow():
            self._fetch_branch(branch, "--unshallow")
        return self.is_ancestor(commit, _BRANCH)

    def merge_base(self, commit: str, branch: str) -> str:
        """The newest common commit with a branch of the repository; empty where they share none.

        A shallow clone is completed first: a cut history may hide the newest.
        """
        self._fetch_branch(branch, *(["--unshallow"] if self._is_shallow() else []))
        return self._git("merge-base", commit, _BRANCH).stdout.decode("ascii").strip()

    def tip(self, branch: str) -> str:
        """The commit id of a branch's tip, its files fetched; empty where there is no such branch."""
        found = self._tip(branch)
        return self.bring(found) if found else ""

    def _tip(self, branch: str) -> str:
        wanted = f"refs/heads/{branch}"
        done = self._remote("ls-remote", "--refs", self.url, wanted)
        lines = (line.partition("\t") for line in done.stdout.decode("utf-8", "replace").splitlines())
        return next((oid for oid, _, ref in lines if ref == wanted), "")

    def _fetch_branch(self, branch: str, *flags: str) -> None:
        self._fetch(f"+refs/heads/{branch}:{_BRANCH}", "--no-tags", *flags)

    def _fetch(self, what: str, *flags: str) -> None:
        done = self._remote("fetch", "--quiet", "--no-recurse-submodules", "--no-auto-gc", *flags, self.url, what)
        if done.returncode:
            short = f"a commit that is needed is not in this clone and cannot be fetched ({first_line(done.stderr)})"
            raise UsageError(short, remedy="give actions/checkout 'fetch-depth: 2', or 0 for all history")

    def _remote(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        redirecting = [name for name in self._own_settings() if _redirects(name)]
        if redirecting:
            what = f"the checkout's own git configuration says where a fetch goes ({printable(redirecting[0])})"
            raise UsageError(what, remedy="remove that, or use a runner that no other job has written to")
        return self._git(*arguments)

    def _own_settings(self) -> list[str]:
        """Names of what the clone itself sets, as git spells them; the user's and the machine's are the owner's."""
        done = self._git("config", "--list", "--includes", "--show-scope", "--name-only", "-z")
        words = done.stdout.decode("utf-8", "surrogateescape").split("\0")
        return [name for scope, name in zip(words[::2], words[1::2], strict=False) if scope in ("local", "worktree")]

    def _is_shallow(self) -> bool:
        return self._git("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"

    def _git(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Run git; settings of the command line stand above all of the checkout's."""
        settings = [part for setting in _SAFE for part in ("-c", setting)]
        variables = {**environment(), "GIT_NO_REPLACE_OBJECTS": "1", **self._authorisation()}
        try:
            return subprocess.run(
                ["git", *settings, *arguments], cwd=self.root, env=variables, capture_output=True, check=False
            )
        except OSError as error:
            what = f"git cannot be started ({error.strerror})"
            raise UsageError(what, remedy="install git and put it on PATH") from error

    def _authorisation(self) -> dict[str, str]:
        """The token as a header, in the environment: neither on disk nor in a list of processes.

        An empty value first takes back the header that actions/checkout may have stored; two would be refused.
        """
        match = re.match(r"https?://[^/]+/", self.url)
        if not self.token or match is None:
            return {}
        secret = base64.b64encode(f"x-access-token:{self.token}".encode()).decode("ascii")
        values = ("", f"AUTHORIZATION: basic {secret}")
        first = int(os.environ.get("GIT_CONFIG_COUNT") or 0)  # after what the runner's owner set in the same way
        named = {f"GIT_CONFIG_KEY_{first + index}": f"http.{match[0]}.extraheader" for index in range(len(values))}
        given = {f"GIT_CONFIG_VALUE_{first + index}": value for index, value in enumerate(values)}
        return {"GIT_CONFIG_COUNT": str(first + len(values)), **named, **given}


def _redirects(name: str) -> bool:
    """Whether a setting sends a fetch, and with it the token, elsewhere: another url, a proxy, an unverified server."""
    return name.startswith(("url.", "core.gitproxy")) or (
        name.startswith("http.") and not name.endswith(".extraheader")
    )
