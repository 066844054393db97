"""argv to request, printing, and exit codes: the composition root. The only place that prints or exits."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from d2b_gate.core.errors import Exit, GateError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence
    from types import SimpleNamespace


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; the only place that catches what commands raise."""
    from d2b_gate.cli.console import prepare_streams, say

    prepare_streams()
    try:
        arguments = _parsed(sys.argv[1:] if argv is None else argv)
        return int(arguments.run(arguments))
    except GateError as error:
        for line in str(error).splitlines():
            say(f"error: {line}")
        return int(error.exit)
    except KeyboardInterrupt:
        say("interrupted; what was already computed is kept")
        return int(Exit.INTERRUPTED)
    except Exception as error:
        return _unexpected(error)


def _parsed(argv: Sequence[str]) -> Namespace | SimpleNamespace:
    from d2b_gate.cli.plain_hook import plain_hook

    for arguments in plain_hook(argv):
        return arguments
    from d2b_gate.cli.arguments import parse

    return parse(argv)


def _unexpected(error: Exception) -> int:
    """A bug: one sentence for the user, and a file with everything a report of it needs."""
    from d2b_gate.cli.console import say
    from d2b_gate.cli.crash import write_crash

    where = write_crash(error)
    say(f"error: this is a bug in d2b-gate ({type(error).__name__}); please report it with the file {where}")
    return int(Exit.UNEVALUATED)
