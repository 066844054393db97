"""`policy diff`: what one policy says otherwise than another, worst first."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.console import show
from d2b_gate.cli.context import text_reader, worktree_reader
from d2b_gate.cli.policy_states import State, compared
from d2b_gate.core.errors import Exit
from d2b_gate.core.policy_effect import Effect
from d2b_gate.policy.find import Found, find_policy
from d2b_gate.reports.policy_changes import effects, line
from d2b_gate.sources.git import INDEX, find_repository

if TYPE_CHECKING:
    from argparse import Namespace

    from d2b_gate.core.policy_change import PolicyChange
    from d2b_gate.sources.git import Repository


def run_diff(arguments: Namespace) -> int:
    """Print the differences; exit 1 only where a flag asks for it."""
    with find_repository(Path.cwd()) as repository:
        changes = compared(state_of(repository, arguments.a), state_of(repository, arguments.b))
    if arguments.format == "json":
        show(json.dumps([_plain(change) for change in changes], indent=2) + "\n")
    else:
        show("".join(f"{line(change)}\n" for change in changes) + f"{effects(changes) or 'no difference'}\n")
    refused = {Effect.LOOSENS} if arguments.fail_on_loosen else set()
    refused |= {Effect.LOOSENS, Effect.UNCLEAR} if arguments.fail_on_unclear else set()
    return int(Exit.VIOLATED if any(change.effect in refused for change in changes) else Exit.OK)


def state_of(repository: Repository, name: str) -> State:
    """A policy file on disk, or the policy of a commit or of the index (``:``).

    What a file extends, and its probes, are read from the working tree.
    """
    file = Path(name)
    if name.endswith(".toml") and file.is_file():
        read = worktree_reader(repository.root)
        inside = file.resolve()
        path = inside.relative_to(repository.root).as_posix() if inside.is_relative_to(repository.root) else name
        return State(Found(path, worktree_reader(file.parent)(file.name) or ""), read)
    read = text_reader(repository, INDEX if name == INDEX else name)
    return State(find_policy(read), read)


def _plain(change: PolicyChange) -> dict[str, object]:
    return {**asdict(change), "effect": change.effect.value}
