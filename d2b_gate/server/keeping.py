"""What is forgotten: rows and results that nobody asked for in a long time, and the oldest of what is too much."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from d2b_gate.core.errors import GateError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from d2b_gate.server.house import House

EVERY = 3600.0
"""Seconds between two looks, at the most."""
_PART = 10
"""A look is also taken when a tenth of what a token may have was written since the last, whoever wrote it."""


class Held(NamedTuple):
    """One thing that is kept for an owner."""

    used: float  # seconds since the epoch
    name: str
    bytes: int


class Keeper:
    """Looks at the start, every hour after that, and when much was written, on a thread of its own."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._ending = threading.Event()
        self._called = threading.Event()
        self._lock = threading.Lock()
        self._written = 0
        self._thread = threading.Thread(target=self._look, name="keeper", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def end(self, seconds: float) -> None:
        """Look no more; waits for a look that is under way."""
        self._ending.set()
        self._called.set()
        self._thread.join(seconds)

    def count(self, size: int) -> None:
        """Note bytes that were written."""
        with self._lock:
            self._written += size
            if self._written > self._house.settings.limits.kept_bytes // _PART:
                self._written = 0
                self._called.set()

    def _look(self) -> None:
        while True:
            try:
                forget_old(self._house)
            except (OSError, sqlite3.Error, GateError) as error:
                self._house.journal.line("forgetting-failed", error=str(error))
            except Exception as error:  # a bug, or no memory: nobody would start this thread again
                self._house.journal.crash("forgetting-failed", error)
            self._called.wait(EVERY)
            self._called.clear()
            if self._ending.is_set():
                return


def forget_old(house: House) -> None:
    """Look through what every token has; rows of jobs that wait or run stay.

    What belongs to tokens that are no longer known goes when it is old, like everything else.

    Raises:
        OSError, sqlite3.Error, GateError: the state cannot be used.
    """
    known = {owner.place for _, owner in house.settings.tokens.by_digest}
    for place in sorted(known | house.owners()):
        _forget_of(place, house)
        if place not in known and not house.rows.held(place) and not house.jobs.held(place):
            shutil.rmtree(house.stores.folder(place), ignore_errors=True)
    house.give_back()


def _forget_of(owner: str, house: House) -> None:
    limits = house.settings.limits
    old = time.time() - limits.kept_seconds
    jobs = gone(house.jobs.held(owner), old, limits.kept_bytes, set())
    house.jobs.forget(owner, jobs)
    rows = gone(house.rows.held(owner), old, limits.kept_bytes, house.needed_rows(owner))
    house.rows.forget(owner, rows)
    folder = house.stores.folder(owner)
    features = 0
    if (folder / "store").is_dir():
        store = house.stores.of(owner)
        features = store.forget_unused(old) + store.gc(limits.kept_bytes)
    _sweep(folder, old)
    if jobs or rows or features:
        house.journal.line("forgotten", jobs=len(jobs), rows=len(rows), feature_bytes=features)


def gone(held: Iterable[Held], old: float, most_bytes: int, needed: set[str]) -> list[Held]:
    """What must go: what was used before ``old``, and the oldest beyond ``most_bytes``; nothing that is needed."""
    found: list[Held] = []
    total = 0
    for one in sorted(held, reverse=True):
        total += one.bytes
        if one.name not in needed and (one.used < old or total > most_bytes):
            found.append(one)
    return found


def _sweep(folder: Path, old: float) -> None:
    """Remove trainings that nobody took up again, and what a killed process left half written."""
    for file in (*folder.glob("training/*"), *folder.glob("results/*.tmp")):
        if file.stat().st_mtime < old:
            file.unlink(missing_ok=True)
