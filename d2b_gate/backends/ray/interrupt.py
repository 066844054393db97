"""Ctrl-C that is not lost: Ray frees handles in ``__del__``, where Python swallows an interrupt that lands there."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


@contextmanager
def remembering() -> Iterator[Callable[[], None]]:
    """Within it an interrupt is raised as always, and again by what this yields, should it have been swallowed."""
    met: list[int] = []

    def meet(number: int, frame: FrameType | None) -> None:
        met.append(number)
        signal.default_int_handler(number, frame)

    def again() -> None:
        if met:
            raise KeyboardInterrupt

    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield again  # somebody else's handler, or a thread that is never interrupted
        return
    signal.signal(signal.SIGINT, meet)
    try:
        yield again
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
