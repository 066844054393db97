"""Progress as server-sent events: a job at every change, a word every few seconds, until it ends or the server does."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from d2b_gate.core.remote import FINAL
from d2b_gate.server.refusal import RefusalError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from d2b_gate.server.messages import JobAnswer

ALIVE = 5.0
"""Seconds between two words at the most, so that neither side takes a quiet line for a dead one."""


async def events(
    look: Callable[[], Awaitable[JobAnswer]], listen: Callable[[], asyncio.Event], going: Callable[[], bool]
) -> AsyncIterator[str]:
    """The text of a stream; ``listen`` gives what the job's next change sets, ``going`` whether the server goes on."""
    said: list[JobAnswer] = []
    spoken = time.monotonic()
    while True:
        changed = listen()
        try:
            now = await look()
        except RefusalError:  # it was forgotten meanwhile, and whoever asks again is told so
            return
        if said != [now]:
            yield _event(said, now)
            said, spoken = [now], time.monotonic()
        if now.state in FINAL or not going():
            return
        try:
            await asyncio.wait_for(changed.wait(), max(0.0, spoken + ALIVE - time.monotonic()))
        except asyncio.TimeoutError:
            yield ": alive\n\n"
            spoken = time.monotonic()


def _event(before: list[JobAnswer], now: JobAnswer) -> str:
    kind = "progress" if before and before[0].state == now.state else "state"
    return f"event: {kind}\ndata: {now.model_dump_json(exclude_none=True)}\n\n"
