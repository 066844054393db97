"""Tells everyone in the event loop who waits for a job that it changed; rung from any thread."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from d2b_gate.server.turns import Ref


class Bell:
    """Rings are not counted: who hears one looks for itself."""

    def __init__(self) -> None:
        self._loops: list[asyncio.AbstractEventLoop] = []
        self._next: WeakValueDictionary[Ref, asyncio.Event] = WeakValueDictionary()

    def hang(self) -> None:
        """Hang it in the running event loop; rings before that are heard by nobody."""
        self._loops = [asyncio.get_running_loop()]

    def ring(self, ref: Ref) -> None:
        """Wake all who wait for this job."""
        for loop in self._loops:
            with suppress(RuntimeError):  # the loop has ended, and so has everyone who waited
                loop.call_soon_threadsafe(self._wake, ref)

    def ring_all(self) -> None:
        """Wake all; in the event loop."""
        for ref in list(self._next):
            self._wake(ref)

    def listen(self, ref: Ref) -> asyncio.Event:
        """What the job's next ring sets; ask for it before looking, so that no change between is missed."""
        event = self._next.get(ref)
        if event is None:
            event = self._next[ref] = asyncio.Event()
        return event

    def _wake(self, ref: Ref) -> None:
        event = self._next.pop(ref, None)
        if event is not None:
            event.set()
