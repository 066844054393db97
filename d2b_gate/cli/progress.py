"""Progress on stderr while a person watches, and nothing when captured."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from d2b_gate.cli.console import say

if TYPE_CHECKING:
    from types import TracebackType

    import rich.progress


class Silent:
    """Progress for captured output: only notes are said."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet

    def stage(self, name: str, total: int) -> None:
        """Begin nothing."""

    def advance(self, steps: int = 1) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Say one line."""
        if not self._quiet:
            say(text)

    def __enter__(self) -> Silent:
        """Enter."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave."""


class Watched(Silent):
    """A rich progress bar with the time left, drawn on stderr and removed at the end."""

    def __init__(self) -> None:
        super().__init__(quiet=False)
        self._bar: rich.progress.Progress | None = None
        self._task: rich.progress.TaskID | None = None

    def stage(self, name: str, total: int) -> None:
        """Begin a bar."""
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        if self._bar is None:
            columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
        elif self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(name, total=total or None)

    def advance(self, steps: int = 1) -> None:
        """Move the bar."""
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, steps)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the bar, whatever happened."""
        if self._bar is not None:
            self._bar.stop()


def make_progress(*, quiet: bool) -> Silent:
    """A bar where stderr is watched, silence elsewhere."""
    if not quiet and sys.stderr.isatty():
        return Watched()
    return Silent(quiet)
