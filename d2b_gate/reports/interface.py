"""What a report is: a module with one pure function from a verdict to text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from d2b_gate.core.history import Past
    from d2b_gate.core.verdict import Verdict


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """How a text is to look; what it says, and the exit code, never depend on it."""

    color: bool = False  # ANSI colour on the words of the verdict, and on nothing else
    width: int = 88  # columns; numbers and paths are never cut to fit, sentences are wrapped
    ascii: bool = False  # escape every character past ASCII, for consoles that cannot show them
    hook: bool = False  # shown by a local git hook: the advice speaks of the commit
    verbose: bool = False  # list what is collapsed otherwise
    result: str = ""  # where the result was saved, for the commands that the report suggests
    history: tuple[Past, ...] = ()  # earlier results of the same policy and model, oldest first


class Report(Protocol):
    """A report module. Pure: no printing, no clock, no look at the terminal."""

    def render(self, verdict: Verdict, options: RenderOptions) -> str:
        """The whole report, ending in one newline. Every text of the repository in it is escaped."""
