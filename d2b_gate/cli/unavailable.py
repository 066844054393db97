"""When this installation cannot judge: one sentence, and CI judges instead if the policy says so."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from d2b_gate.cli.console import say
from d2b_gate.core.errors import Exit, UnavailableError

if TYPE_CHECKING:
    from argparse import Namespace

    from d2b_gate.cli.context import Standpoint
    from d2b_gate.core.rules import Policy


def inability(arguments: Namespace) -> UnavailableError | None:
    """Return why nothing can be judged here; None if it can. Imports nothing heavy, to work in a light environment."""
    if importlib.util.find_spec("numpy") is None:
        extra = "remote" if arguments.remote else "model"
        return UnavailableError("judging rows needs numpy", remedy=f'run: pip install "d2b-gate[{extra}]"')
    return None


def defer_or_raise(error: UnavailableError, policy: Policy, stand: Standpoint) -> int:
    """A local hook may leave the judgement to CI, if the policy says so; nobody else may."""
    if stand.context != "hook" or policy.on_unavailable.hook != "defer":
        raise error
    say(f"could not evaluate here: {error}")
    say('left to CI, as on_unavailable = { hook = "defer" } in the policy says')
    return int(Exit.OK)
