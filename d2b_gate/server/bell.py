"""Tells everyone who waits in the event loop that some job changed; rung from any thread."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Bell:
    """Rings are not counted: who hears one looks for itself."""

    def __init__(self) -> None:
        self._loops: list[asyncio.AbstractEventLoop] = []
        self._next = asyncio.Event()

    def hang(self) -> None:
        """Hang it in the running event loop; rings before that are heard by nobody."""
        self._loops = [asyncio.get_running_loop()]

    def ring(self) -> None:
        """Wake all who wait."""
        for loop in self._loops:
            with suppress(RuntimeError):  # the loop has ended, and so has everyone who waited
                loop.call_soon_threadsafe(self._wake)

    def listen(self) -> asyncio.Event:
        """What the next ring sets; ask for it before looking, so that no change between is missed."""
        return self._next

    def _wake(self) -> None:
        rung, self._next = self._next, asyncio.Event()
        rung.set()
