"""`hook STAGE` as .pre-commit-hooks.yaml calls it, without argparse, which is a fifth of such a run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

from d2b_gate.cli.defaults import environment

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Sequence

STAGES = ("pre-commit", "pre-push")
REMOTE = "--remote"


def plain_hook(argv: Sequence[str]) -> Iterator[SimpleNamespace]:
    """What argparse makes of these words, if they are a hook's without any other flag; else nothing."""
    if len(argv) < 2 or argv[0] != "hook" or argv[1] not in STAGES:
        return
    remote = tuple(argv[2:3]) == (REMOTE,)
    files = list(argv[3 if remote else 2 :])
    if any(word.startswith("-") for word in files):
        return
    yield SimpleNamespace(
        command="hook",
        stage=argv[1],
        files=files,
        remote=remote,
        quiet=False,
        verbose=False,
        color=environment("COLOR", "auto"),
        format=None,
        output_file=[],
        device=environment("DEVICE", ""),
        backend=environment("BACKEND", ""),
        no_cache=False,
        require_match=False,
        bootstrap=False,
        run=_run,
    )


def _run(arguments: Namespace) -> int:
    from d2b_gate.cli.hook import run_hook

    return run_hook(arguments)
