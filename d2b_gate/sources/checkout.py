"""The commits of a CI checkout, with what it lacks fetched from the repository that the event names.

An earlier job on the same runner could have written all that the checkout holds beside its objects: settings, refs and
grafts. So git works in a repository of our own (`relay`), and asks the checkout only where HEAD and the objects are.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from d2b_gate.core.errors import UsageError
from d2b_gate.core.printable import printable
from d2b_gate.sources.errors import first_line
from d2b_gate.sources.process import environment
from d2b_gate.sources.relay import relay, run

if TYPE_CHECKING:
    from pathlib import Path

    from d2b_gate.sources.relay import Done, Relay

COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
"""A full commit id; nothing shorter, and no name, is taken from an event."""

_BRANCH: Final = "refs/d2b-gate/branch"
_RECENT: Final = "--depth=50"
"""Commits of a branch that are asked for first; our choice: a base that moved on has rarely moved further."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A working tree, the URL of its repository, and the token that may read it (empty: none)."""

    root: Path
    url: str
    token: str = ""

    def head(self) -> str:
        """The commit id of HEAD.

        Raises:
            UsageError: there is no usable repository, or no commit, or it is a partial clone.
        """
        if partial := [name for name in self._own_settings() if _fetches_unasked(name)]:
            what = f"this is a partial clone, which fetches from wherever its settings say ({printable(partial[0])})"
            raise UsageError(what, remedy="drop 'filter:' and 'sparse-checkout:' from actions/checkout")
        done = self._git("rev-parse", "--verify", "--end-of-options", "HEAD")
        commit = done.stdout.decode("ascii", "replace").strip()
        if done.returncode or not self.has(commit):
            what = f"there is no commit to judge ({first_line(done.stderr) or 'HEAD names none that is here'})"
            raise UsageError(what, remedy="run actions/checkout in a step before this one")
        return commit

    def parents(self, commit: str) -> tuple[str, ...]:
        """The parents as the commit names them, whether or not a shallow clone has them."""
        with relay(commit) as own:
            content = own.git("cat-file", "commit", commit, objects=self._path("objects")).stdout
        lines = content.partition(b"\n\n")[0].decode("utf-8", "replace").split("\n")
        return tuple(line.removeprefix("parent ") for line in lines if line.startswith("parent "))

    def has(self, commit: str) -> bool:
        """Whether the commit is here."""
        with relay(commit) as own:
            return not own.git("cat-file", "-e", f"{commit}^{{commit}}", objects=self._path("objects")).returncode

    def bring(self, commit: str) -> str:
        """Return the commit id, its files fetched if they are not here.

        Raises:
            UsageError: it is neither here nor can it be fetched.
        """
        if not COMMIT.fullmatch(commit):
            raise UsageError(f"{printable(commit)!r} is no full commit id", remedy="run the job again")
        if not self.has(commit):
            with relay(commit) as own:
                self._fetch_files(own, commit)
        return commit

    def is_on_branch(self, commit: str, branch: str) -> bool:
        """Whether the commit is in the history of a branch of the repository.

        The server is asked, for commits without their files, and first for the newest.

        Raises:
            UsageError: the server does not answer.
        """
        if self._tip(branch) == commit:
            return True
        with relay(commit) as own:
            return self._has_ancestor(own, commit, branch, _RECENT) or (
                own.is_shallow() and self._has_ancestor(own, commit, branch, "--unshallow")
            )

    def merge_base(self, commit: str, branch: str) -> str:
        """The newest common commit with a branch of the repository; empty where they share none.

        Raises:
            UsageError: the server does not answer, or has no such commit or branch.
        """
        with relay(commit) as own:
            self._fetch_history(own, branch, commit)
            return own.git("merge-base", commit, _BRANCH).stdout.decode("ascii").strip()

    def tip(self, branch: str) -> str:
        """The commit id of a branch's tip, its files fetched; empty where there is no such branch."""
        found = self._tip(branch)
        return self.bring(found) if found else ""

    def _tip(self, branch: str) -> str:
        wanted = f"refs/heads/{branch}"
        with relay() as own:
            done = self._asked(own, "ls-remote", "--refs", self.url, wanted)
        lines = (line.partition("\t") for line in done.stdout.decode("utf-8", "replace").splitlines())
        return next((oid for oid, _, ref in lines if ref == wanted), "")

    def _has_ancestor(self, own: Relay, commit: str, branch: str, *flags: str) -> bool:
        self._fetch_history(own, branch, *flags)
        return not own.git("merge-base", "--is-ancestor", commit, _BRANCH).returncode

    def _fetch_history(self, own: Relay, branch: str, *more: str) -> None:
        """Commits alone, where the server can leave their files out."""
        flags = [word for word in more if word.startswith("--")]
        commits = [word for word in more if COMMIT.fullmatch(word)]
        wanted = f"+refs/heads/{branch}:{_BRANCH}"
        self._asked(own, "fetch", "--quiet", "--no-tags", "--filter=tree:0", *flags, self.url, wanted, *commits)

    def _fetch_files(self, own: Relay, commit: str) -> None:
        """Fetch into the checkout's objects; the server sends only what differs from the files of its HEAD."""
        objects, shallow = self._path("objects"), self._path("shallow")
        is_cut = shallow.exists()
        if is_cut:
            shutil.copyfile(shallow, own.place / "shallow")
        head = self._git("rev-parse", "--verify", "--end-of-options", "HEAD").stdout.decode("ascii").strip()
        own.git("update-ref", "refs/d2b-gate/have", head, objects=objects)
        flags = ["--depth=1"] if is_cut else []
        argv = ("fetch", "--quiet", "--no-tags", "--no-auto-gc", *flags, self.url, commit)
        done = self._remote(own, *argv, objects=objects)
        if done.returncode:
            short = f"a commit that is needed is not in this clone and cannot be fetched ({first_line(done.stderr)})"
            raise UsageError(short, remedy="give actions/checkout 'fetch-depth: 2', or 0 for all history")
        if own.is_shallow():
            told = shallow.with_name(f"{own.place.name}.shallow")
            shutil.copyfile(own.place / "shallow", told)
            told.replace(shallow)

    def _asked(self, own: Relay, *arguments: str) -> Done:
        done = self._remote(own, *arguments)
        if done.returncode:
            what = f"the repository cannot be asked what its branches hold ({first_line(done.stderr)})"
            raise UsageError(what, remedy="let the runner reach it, and the input 'token' read it")
        return done

    def _remote(self, own: Relay, *arguments: str, objects: Path | str = "") -> Done:
        """Nothing of the clone's own settings counts here; but who wrote these has written more."""
        if redirecting := [name for name in self._own_settings() if _redirects(name)]:
            what = f"the checkout's own git configuration says where a fetch goes ({printable(redirecting[0])})"
            raise UsageError(what, remedy="remove that, or use a runner that no other job has written to")
        return own.git(*arguments, objects=objects, url=self.url, token=self.token)

    def _own_settings(self) -> list[str]:
        """Names of what the clone itself sets, as git spells them; the user's and the machine's are the owner's."""
        done = self._git("config", "--list", "--includes", "--show-scope", "--name-only", "-z")
        words = done.stdout.decode("utf-8", "surrogateescape").split("\0")
        return [name for scope, name in zip(words[::2], words[1::2], strict=False) if scope in ("local", "worktree")]

    def _path(self, name: str) -> Path:
        """Where the checkout keeps its objects, or the list of commits that its history is cut at."""
        said = self._git("rev-parse", "--git-path", name).stdout.decode("utf-8", "surrogateescape")
        return (self.root / said.removesuffix("\n")).resolve()

    def _git(self, *arguments: str) -> Done:
        """Run git in the checkout, for what is read from files without any object."""
        return run(self.root, environment(), *arguments)


def _fetches_unasked(name: str) -> bool:
    """Whether a setting makes git fetch an object that it misses, by a program that another setting may name."""
    return name == "extensions.partialclone" or (name.startswith("remote.") and name.endswith(".promisor"))


def _redirects(name: str) -> bool:
    """Whether a setting would send a fetch elsewhere: another url, a proxy, a server that is not verified."""
    return (
        name.startswith(("url.", "core.gitproxy"))
        or (name.startswith("http.") and not name.endswith(".extraheader"))
        or (name.startswith("remote.") and "://" in name)  # a remote that is called as a url takes its place
    )
