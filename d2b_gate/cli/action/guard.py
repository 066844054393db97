"""First step: refuse what must not be judged, before anything is installed, and say which commits are compared."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from d2b_gate.cli.action.runner import annotate, asked, one_of, output, switch
from d2b_gate.core.errors import UsageError
from d2b_gate.sources.checkout import Checkout
from d2b_gate.sources.event_range import Asked, compared
from d2b_gate.sources.runner_event import read_event

if TYPE_CHECKING:
    from d2b_gate.sources.event_range import Compared
    from d2b_gate.sources.runner_event import RunnerEvent


def run() -> int:
    """Write ``base``, ``head``, ``python``, ``folder`` and ``cache-dir``, or refuse."""
    mode: Literal["evaluate", "structure"] = "structure" if _mode() == "structure" else "evaluate"
    forks: Literal["refuse", "evaluate"] = "evaluate" if switch("dangerously-evaluate-forks") else "refuse"
    for name in ("bootstrap", "receipt"):
        switch(name)  # a mistake is told before anything is installed
    event = read_event(os.environ)
    checkout = Checkout(Path.cwd(), f"{event.server}/{event.repository}", asked("token"))
    found = compared(event, checkout, Asked(mode, forks, asked("base")))
    if found.trust == "fork" and mode == "evaluate":
        annotate("warning", "rows of a fork are evaluated on this runner, as dangerously-evaluate-forks says")
    _tell(event, found)
    return 0


def _mode() -> str:
    return one_of("mode", "evaluate", "structure")


def _tell(event: RunnerEvent, found: Compared) -> None:
    folder = Path(tempfile.mkdtemp(prefix="d2b-gate-", dir=_temporary()))
    (folder / "reports").mkdir()
    output("base", found.base)
    output("head", found.head)
    output("python", sys.executable)
    output("folder", str(folder))
    output("cache-dir", str(_cache(event, found)))
    sys.stdout.write(f"d2b-gate: compares {found.base[:12]} with {found.head[:12]} ({found.trust})\n")


def _temporary() -> str:
    folder = os.environ.get("RUNNER_TEMP", "")
    if not folder:
        raise UsageError("RUNNER_TEMP is not set", remedy="this runs as a step of GitHub Actions only")
    return folder


def _cache(event: RunnerEvent, found: Compared) -> Path:
    """One store per repository and level of trust: what a pull request's run wrote, nothing but its own runs read."""
    named = asked("cache-dir")
    root = Path(named).expanduser() if named else Path.home() / ".cache" / "d2b-gate-action"
    if not root.is_absolute():
        raise UsageError("the input 'cache-dir' is not absolute", remedy="name a directory outside the checkout")
    if root.resolve().is_relative_to(Path.cwd().resolve()):
        raise UsageError("the input 'cache-dir' lies in the checkout", remedy="name a directory outside of it")
    return root.joinpath(*event.repository.split("/"), *_level(event, found))


def _level(event: RunnerEvent, found: Compared) -> tuple[str, ...]:
    if found.trust not in ("pull", "fork"):
        return (found.trust,)
    if not event.pull_number:
        raise UsageError("the event says no number of the pull request", remedy="run the job again")
    return found.trust, event.pull_number
