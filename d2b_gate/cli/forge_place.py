"""Where a forge's commands write: repository, API, token and pull request, from flags and a workflow's environment."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.core.errors import UsageError
from d2b_gate.core.printable import printable
from d2b_gate.forge.event import Numbered, OfHead, asked_by, is_sha, judging_run
from d2b_gate.forge.origin import PUBLIC, api_root

if TYPE_CHECKING:
    from argparse import Namespace

    from d2b_gate.forge.event import Asked

_REPOSITORY = re.compile(r"(?!\.{1,2}/)[A-Za-z0-9_.-]{1,100}/(?!\.{1,2}\Z)[A-Za-z0-9_.-]{1,100}")
_TOKENS = ("D2B_GATE_GITHUB_TOKEN", "GITHUB_TOKEN")
_NO_EVENT = ("", b"")
_LONGEST_EVENT = 32 * 2**20  # bytes; GitHub caps the payload of an event at 25 MB


@dataclass(frozen=True, slots=True)
class Place:
    """Everything but what is written."""

    root: str  # of the API
    token: str
    repository: str
    asked: Asked
    run_url: str  # of the run that judged; empty outside a workflow


def forge_place(arguments: Namespace) -> Place:
    """Find out where to write.

    Raises:
        UsageError: something is missing, malformed or unsafe.
    """
    _refuse_empty(arguments)
    root = api_root(arguments.api_url or _environment("GITHUB_API_URL") or PUBLIC)
    repository = arguments.repository or _environment("GITHUB_REPOSITORY")
    if not _REPOSITORY.fullmatch(repository):
        what = f"{printable(repository)!r} is no repository" if repository else "no repository is named"
        raise UsageError(what, remedy="write --repository OWNER/NAME, or set GITHUB_REPOSITORY")
    event = _event()
    return Place(root, _token(), repository, _asked(arguments, event), _run_url(repository, event))


def _refuse_empty(arguments: Namespace) -> None:
    """An unset variable behind a flag must not ask another question, or send the token somewhere else."""
    for flag in ("repository", "commit", "api_url", "key", "author"):
        if getattr(arguments, flag) == "":
            raise UsageError(f"--{flag.replace('_', '-')} is empty", remedy="drop the flag, or set what it is made of")


def _token() -> str:
    token = next((found for name in _TOKENS if (found := _environment(name))), "")
    if not token:
        raise UsageError("there is no token", remedy=f"set {_TOKENS[1]} in the environment of this step")
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise UsageError("the token holds characters that no token has", remedy="set it again, without line ends")
    return token


def _asked(arguments: Namespace, event: tuple[str, bytes]) -> Asked:
    """What the event says; flags say more, and never something else about the commit."""
    commit = arguments.commit or ""
    if commit and not is_sha(commit):
        raise UsageError(f"--commit {printable(commit)!r} is no whole commit id", remedy="give all of its hex digits")
    if event == _NO_EVENT:
        if arguments.pull_request is None:
            raise UsageError("no pull request is named", remedy="write --pull-request N; a workflow's event names it")
        return Numbered(arguments.pull_request, commit)
    return _narrowed(asked_by(*event), arguments.pull_request, commit)


def _narrowed(told: Asked, number: int | None, commit: str) -> Asked:
    """A number given by hand is verified by the commit that the event names."""
    if number is None or (isinstance(told, Numbered) and told.number == number):
        if commit and told.head and commit != told.head:
            what = f"--commit says {commit[:7]}, and the workflow's event is about {told.head[:7]}"
            raise UsageError(what, remedy="drop --commit: the event knows the commit")
        return told if told.head else replace(told, head=commit)
    return Numbered(number, told.head if isinstance(told, OfHead) else commit)


def _event() -> tuple[str, bytes]:
    """Name and content of the workflow's event; both empty outside a workflow."""
    path = _environment("GITHUB_EVENT_PATH")
    if not path:
        return _NO_EVENT
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LONGEST_EVENT + 1)
    except OSError as error:
        remedy = "name the pull request with --pull-request, and unset GITHUB_EVENT_PATH"
        raise UsageError(f"cannot read the event: {error.strerror}", where=printable(path), remedy=remedy) from error
    if len(content) > _LONGEST_EVENT:
        raise UsageError(f"the event is larger than {_LONGEST_EVENT} bytes", where=printable(path))
    return _environment("GITHUB_EVENT_NAME"), content


def _run_url(repository: str, event: tuple[str, bytes]) -> str:
    server, run = _environment("GITHUB_SERVER_URL"), judging_run(*event) or _environment("GITHUB_RUN_ID")
    return f"{server}/{repository}/actions/runs/{run}" if server and run else ""


def _environment(name: str) -> str:
    return os.environ.get(name, "").strip()
