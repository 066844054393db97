"""What a workflow's event says about the pull request that was judged: the runner's word, which no artifact is."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from d2b_gate.core.errors import UsageError
from d2b_gate.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_HAVE_NONE = {
    "merge_group": "a merge group has no pull request of its own",
    "push": "a push has no pull request",
}


@dataclass(frozen=True, slots=True)
class Numbered:
    """A pull request by its number, and the head commit that was judged; empty where nothing says which."""

    number: int
    head: str = ""


@dataclass(frozen=True, slots=True)
class OfHead:
    """The pull request, not yet known, whose head is this commit of this branch."""

    head: str
    owner: str  # of the repository that the branch is in, a fork or not
    branch: str


@dataclass(frozen=True, slots=True)
class NoPull:
    """There is none, and why; a check run can still be of the commit."""

    why: str
    head: str = ""


Asked: TypeAlias = Numbered | OfHead | NoPull


def asked_by(name: str, content: bytes) -> Asked:
    """Read an event: its name (``GITHUB_EVENT_NAME``) and its JSON.

    Raises:
        UsageError: it is not what GitHub sends, or its token must not be near a pull request's own files.
    """
    if name == "pull_request_target":
        what = "pull_request_target gives a writing token to a run that untrusted changes can reach"
        raise UsageError(what, remedy="evaluate in pull_request, and publish in a workflow_run job")
    event = _Node(_loaded(content), "event")
    if name == "pull_request":
        pull = event.table("pull_request")
        return Numbered(pull.whole("number"), pull.table("head").sha("sha"))
    if name == "workflow_run":
        return _of_run(event.table("workflow_run"))
    if name == "merge_group":
        return NoPull(_HAVE_NONE[name], event.table("merge_group").sha("head_sha"))
    if name == "push":
        return NoPull(_HAVE_NONE[name], event.sha("after"))
    return NoPull(f"the event {printable(name)!r} has no pull request; name one with --pull-request")


def judging_run(name: str, content: bytes) -> str:
    """The id of the run that a workflow_run follows, which is the one that judged; empty for any other event."""
    if name != "workflow_run":
        return ""
    return str(_Node(_loaded(content), "event").table("workflow_run").whole("id"))


def _of_run(run: _Node) -> Asked:
    """The run that a workflow_run follows: its number is never taken from an artifact, nor is its commit."""
    head, kind = run.sha("head_sha"), run.text("event")
    if kind != "pull_request":
        return NoPull(_HAVE_NONE.get(kind, f"a run of the event {printable(kind)!r} has no pull request"), head)
    source = run.table("head_repository")
    if source.value is None:
        return NoPull("the fork that the run was of is gone", head)
    return OfHead(head, source.table("owner").text("login"), run.text("head_branch"))


def _loaded(content: bytes) -> object:
    try:
        loaded: object = json.loads(content)
    except (ValueError, RecursionError):
        raise _malformed("event") from None
    return loaded


@dataclass(frozen=True, slots=True)
class _Node:
    """A table of the event, and where it stands."""

    value: object
    at: str

    def table(self, key: str) -> _Node:
        return _Node(self._get(key), f"{self.at}.{key}")

    def text(self, key: str) -> str:
        found = self._get(key)
        if not isinstance(found, str):
            raise _malformed(f"{self.at}.{key}")
        return found

    def sha(self, key: str) -> str:
        found = self.text(key)
        if not _SHA.fullmatch(found):
            raise _malformed(f"{self.at}.{key}")
        return found

    def whole(self, key: str) -> int:
        found = self._get(key)
        if isinstance(found, bool) or not isinstance(found, int) or found < 1:
            raise _malformed(f"{self.at}.{key}")
        return found

    def _get(self, key: str) -> object:
        table: Mapping[str, object] = self.value if isinstance(self.value, dict) else {}
        return table.get(key, self)  # which is of no type that is asked for


def _malformed(at: str) -> UsageError:
    return UsageError(
        "the file of GITHUB_EVENT_PATH is not as GitHub writes it", where=at, remedy="name the pull request yourself"
    )


def is_sha(text: str) -> bool:
    """Whether a text is a whole commit id."""
    return bool(_SHA.fullmatch(text))
