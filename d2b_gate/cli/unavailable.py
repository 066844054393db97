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


LIGHT = ("numpy", "safetensors")
"""Libraries that every verdict needs, whatever runs the model."""


def inability(arguments: Namespace) -> UnavailableError | None:
    """Return why nothing can be judged here; None if it can. Imports nothing heavy, to work in a light environment."""
    missing = [library for library in LIGHT if importlib.util.find_spec(library) is None]
    if missing:
        extra = "remote" if arguments.remote or arguments.backend == "remote" else "model"
        what = f"judging rows needs {' and '.join(missing)}"
        return UnavailableError(what, remedy=f'run: pip install "d2b-gate[{extra}]"')
    return None


def defer_or_raise(error: UnavailableError, policy: Policy, stand: Standpoint, arguments: Namespace) -> int:
    """A local hook may leave the judgement to CI, if the policy says so; nobody else may, a `check` by hand neither."""
    if arguments.command != "hook" or stand.context != "hook" or policy.on_unavailable.hook != "defer":
        raise error
    say(f"could not evaluate here: {error}")
    say('left to CI, as on_unavailable = { hook = "defer" } in the policy says')
    return int(Exit.OK)
