"""The desk: takes jobs in, gives them out in turn, knows how each stands. Threads may use it at once."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from d2b_gate.core.remote import FINAL
from d2b_gate.server.jobs import Job
from d2b_gate.server.refusal import RefusalError, said_error
from d2b_gate.server.turns import in_turn
from d2b_gate.server.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from d2b_gate.server.jobs import JobTable
    from d2b_gate.server.settings import Limits
    from d2b_gate.server.turns import Ref

MOST_ATTEMPTS = 3
"""Runs that a job may begin; one that ends the whole process each time must not do so for ever."""
_POISON = said_error(
    "evaluation",
    f"the server ended {MOST_ATTEMPTS} times while it ran this job",
    remedy="see the server's log; it may lack memory for this job",
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a job stands now."""

    job: Job
    state: str
    done: int
    ahead: int


class Desk:
    """Jobs that wait, run, and have ended; the first two in memory as well as in the table."""

    def __init__(self, table: JobTable, limits: Limits, changed: Callable[[Ref], None]) -> None:
        """``changed`` is called after every change of a job, from any thread."""
        self._table = table
        self._limits = limits
        self._changed = changed
        self._lock = threading.Condition()
        self._waiting: dict[Ref, Job] = {}
        self._running: dict[Ref, Watch] = {}
        self._last_turn: dict[str, int] = {}
        self._turn = 0
        self._open = True
        for job in table.unfinished():
            self._take_up(job)

    def post(self, job: Job, request: str) -> tuple[Standing, bool]:
        """Queue a job that is not known, or that failed; how it stands, and whether it is newly queued.

        ``request`` is the body that asks for it, as JSON.

        Raises:
            RefusalError: this token's queue is full, or the server is about to end.
        """
        with self._lock:
            known = self._standings(job.ref)
            if known and known[0].state not in ("failed", "cancelled"):
                self._find_again(known[0])
                return known[0], False
            self._refuse_full(job.ref.owner, len(request))
            self._table.add(job, request)
            self._waiting[job.ref] = replace(job, asked=len(request))
            self._lock.notify_all()
            standing = self._standings(job.ref)[0]
        self._changed(job.ref)
        return standing, True

    def look(self, ref: Ref) -> Standing:
        """How a job stands.

        Raises:
            RefusalError: there is none of this name.
        """
        with self._lock:
            found = self._standings(ref)
        if not found:
            raise unknown_job()
        return found[0]

    def cancel(self, ref: Ref) -> Standing:
        """Drop a queued job, and stop a running one at its next step; one that has ended stays as it is."""
        with self._lock:
            if ref in self._running:
                self._running[ref].stop("cancelled")
            elif ref in self._waiting:
                self._table.end(ref, "cancelled", {})  # may fail, and then it still waits
                del self._waiting[ref]
        self._changed(ref)
        return self.look(ref)

    def taken(self) -> Iterator[tuple[Job, Watch]]:
        """Jobs for one worker as their turns come, until the desk closes; each must be given to `end` or `park`."""
        while True:
            with self._lock:
                ready = self._ready()
                while self._open and not ready:
                    self._lock.wait()
                    ready = self._ready()
                if not self._open:
                    return
                job, watch = self._begin(ready[0])
            self._changed(job.ref)
            yield job, watch

    def end(self, ref: Ref, state: str, error: Mapping[str, str]) -> None:
        """Keep how a running job ended; where that cannot be kept, it is queued again, and the reason raised."""
        with self._lock:
            try:
                self._table.end(ref, state, error)
            except (OSError, sqlite3.Error):
                self._waiting[ref] = Job(ref, self._running[ref].total)
                raise
            finally:
                self._leave(ref)
        self._changed(ref)

    def park(self, ref: Ref) -> None:
        """Leave a job that was stopped for the next start of the server."""
        with self._lock:
            try:
                self._table.park(ref)
            finally:
                self._leave(ref)
        self._changed(ref)

    def close(self) -> None:
        """Give out no more jobs and take no more in; those that run go on."""
        with self._lock:
            self._open = False
            self._lock.notify_all()

    def park_all(self) -> None:
        """Stop what still runs, at its next step, to go on at the next start."""
        with self._lock:
            for watch in self._running.values():
                watch.stop("parked")

    def abandon(self) -> None:
        """Note of what still runs that it is to go on at the next start: the process will end in the middle of it."""
        with self._lock:
            for ref in self._running:
                self._table.park(ref)

    @property
    def is_open(self) -> bool:
        """Whether jobs are taken in."""
        return self._open

    def counts(self) -> tuple[int, int]:
        """How many jobs wait, and how many run."""
        with self._lock:
            return len(self._waiting), len(self._running)

    def _take_up(self, job: Job) -> None:
        """Queue what an earlier process left; one that keeps ending the process fails."""
        if job.attempts >= MOST_ATTEMPTS:
            self._table.end(job.ref, "failed", _POISON)
        else:
            self._waiting[job.ref] = job

    def _find_again(self, standing: Standing) -> None:
        """Queue a job that the table calls unfinished while nobody has it, after some failure that nobody foresaw."""
        if self._open and standing.state == "queued" and standing.job.ref not in self._waiting:
            self._waiting[standing.job.ref] = standing.job
            self._lock.notify_all()

    def _standings(self, ref: Ref) -> tuple[Standing, ...]:
        found = self._table.find(ref)
        return tuple(self._standing(job) for job in found)

    def _standing(self, job: Job) -> Standing:
        if job.ref in self._running:
            return Standing(job, "running", self._running[job.ref].done, 0)
        if job.ref in self._waiting:
            before = in_turn(self._waiting, self._last_turn).index(job.ref)
            return Standing(job, "queued", 0, before + len(self._running))
        state = job.state if job.state in FINAL else "queued"
        return Standing(job, state, job.total if state == "done" else 0, 0)

    def _refuse_full(self, owner: str, more: int) -> None:
        if not self._open:
            raise RefusalError(
                503, "unavailable", "the server is about to end", reason="ending", remedy="try again", retry_after=5
            )
        asked = [job.asked for job in self._waiting.values() if job.ref.owner == owner]
        too_large = asked and sum(asked) + more > self._limits.waiting_bytes
        if len(asked) >= self._limits.waiting or too_large:
            raise RefusalError(
                *(429, "busy", "too many jobs of this token wait"),
                reason="queue-full",
                remedy="wait for some to end",
                retry_after=5,
            )

    def _ready(self) -> list[Ref]:
        """Jobs that may run now, in turn; one at a time of each owner, so that none computes what another does."""
        busy = {ref.owner for ref in self._running}
        return [ref for ref in in_turn(self._waiting, self._last_turn) if ref.owner not in busy]

    def _begin(self, ref: Ref) -> tuple[Job, Watch]:
        self._table.begin(ref)
        job = self._waiting.pop(ref)
        self._turn += 1
        self._last_turn[ref.owner] = self._turn
        watch = Watch(job.total, self._limits.job_seconds, partial(self._changed, ref))
        self._running[ref] = watch
        return job, watch

    def _leave(self, ref: Ref) -> None:
        self._running.pop(ref)
        self._lock.notify_all()


def unknown_job() -> RefusalError:
    """The answer about a job that this token has not got."""
    return RefusalError(404, "unknown", "there is no such job", reason="unknown-job", remedy="ask for it anew")
