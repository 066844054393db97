"""Time as a forge's client needs it: handed in, so that tests wait for nothing, and bounded as a whole."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Timing:
    """Clocks and sleep, in seconds."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time  # since the epoch, as `x-ratelimit-reset` counts
    sleep: Callable[[float], None] = time.sleep


class Budget:
    """The time that a whole conversation may take, pauses included."""

    def __init__(self, seconds: float, timing: Timing) -> None:
        self.timing = timing
        self._end = timing.monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left, never under zero."""
        return max(0.0, self._end - self.timing.monotonic())

    def wait(self, seconds: float, why: str) -> None:
        """Sleep, if that ends within the budget.

        Raises:
            EvaluationError: it does not; nothing is waited for.
        """
        if seconds > self.left():
            what = f"{why}: {seconds:.0f} s to wait are more than the {self.left():.0f} s that are left"
            raise EvaluationError(what, remedy="give more time with --timeout, or run it again later")
        self.timing.sleep(seconds)
