"""How far a running job is, and the word that stops it at its next step."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

BETWEEN = 0.1
"""Seconds between two words about progress, at the least; a change of state is told at once."""
Stop = Literal["cancelled", "time", "parked"]


class StoppedError(Exception):
    """Ends a job from within its own progress; caught where jobs are run, and nowhere else."""

    def __init__(self, why: Stop) -> None:
        super().__init__(why)
        self.why: Stop = why


class Watch:
    """`core.ports.Progress` of one job. Advanced by the worker, read and stopped by others."""

    def __init__(self, total: int, seconds: float, changed: Callable[[], None]) -> None:
        self.done = 0
        self.total = total
        self._deadline = time.monotonic() + seconds
        self._changed = changed
        self._stops: list[Stop] = []
        self._told = 0.0

    def stage(self, name: str, total: int) -> None:
        """Stages are the client's."""

    def note(self, text: str) -> None:
        """Notes are said where the model is opened."""

    def advance(self, steps: int = 1) -> None:
        """Count steps.

        Raises:
            StoppedError: somebody stopped the job, or its time is over.
        """
        self.done = min(self.total, self.done + steps)
        if time.monotonic() > self._told + BETWEEN:
            self._told = time.monotonic()
            self._changed()
        self.check()

    def check(self) -> None:
        """Raise StoppedError where the job must end."""
        if self._stops:
            raise StoppedError(self._stops[0])
        if time.monotonic() > self._deadline:
            raise StoppedError("time")

    def stop(self, why: Stop) -> None:
        """Let the job end at its next step; the first reason counts."""
        self._stops.append(why)


class Relay:
    """Progress of a model that outlives jobs: passes on to the job that runs now, on one worker."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._watches: list[Watch] = []

    def turn_to(self, *watches: Watch) -> None:
        """Pass on to this one, or to none."""
        self._watches = list(watches)

    def stage(self, name: str, total: int) -> None:
        """Stages are the client's."""

    def advance(self, steps: int = 1) -> None:
        """Count steps of the job that runs."""
        for watch in self._watches:
            watch.advance(steps)

    def note(self, text: str) -> None:
        """Say one line."""
        self._note(text)
