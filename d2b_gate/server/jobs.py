"""Jobs as they are kept: what was asked, how it stands, and where its result is."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from d2b_gate.server.keeping import Held
from d2b_gate.server.turns import Ref

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from d2b_gate.server.database import Database, Value


_COLUMNS = "owner, name, state, total, error, attempts"


@dataclass(frozen=True, slots=True)
class Job:
    """One job without what it asks. ``error`` is empty, or why it failed; ``attempts`` counts runs that began.

    ``asked`` is how many bytes it takes to ask for it, where that matters: while it waits.
    """

    ref: Ref
    total: int
    state: str = "queued"
    error: Mapping[str, str] = field(default_factory=dict)
    attempts: int = 0
    asked: int = 0


class JobTable:
    """The jobs of all owners, and their results as files below ``state``. Methods may raise sqlite3.Error, OSError."""

    def __init__(self, database: Database, state: Path) -> None:
        self._database = database
        self._state = state

    def find(self, ref: Ref) -> tuple[Job, ...]:
        """The job, if there is one; a finished one whose result was lost is none."""
        found = self._database.ask(f"SELECT {_COLUMNS} FROM jobs WHERE owner = ? AND name = ?", ref)
        jobs = tuple(_job(values) for values in found)
        return tuple(job for job in jobs if job.state != "done" or self.result(ref).is_file())

    def request(self, ref: Ref) -> str:
        """The body that asked for a job, as JSON; empty where there is no such job."""
        found = self._database.ask("SELECT request FROM jobs WHERE owner = ? AND name = ?", ref)
        return "".join(str(request) for (request,) in found)

    def add(self, job: Job, request: str) -> None:
        """Keep a new job, or one that is asked for again, as queued, behind all others."""
        self._database.change(
            "INSERT OR REPLACE INTO jobs VALUES (?, ?, ?, 'queued', ?, '{}',"
            " (SELECT coalesce(max(arrival), 0) + 1 FROM jobs), 0, 0, ?)",
            [*job.ref, request, job.total, time.time()],
        )

    def begin(self, ref: Ref) -> None:
        """Note that it runs, and that once more somebody tries."""
        where = "WHERE owner = ? AND name = ?"
        self._database.change(f"UPDATE jobs SET state = 'running', attempts = attempts + 1 {where}", ref)

    def park(self, ref: Ref) -> None:
        """Queue it again where it was, as if it had never begun."""
        where = "WHERE owner = ? AND name = ?"
        self._database.change(f"UPDATE jobs SET state = 'queued', attempts = max(attempts - 1, 0) {where}", ref)

    def end(self, ref: Ref, state: str, error: Mapping[str, str]) -> None:
        """Keep how it ended."""
        path = self.result(ref)
        size = path.stat().st_size if state == "done" else 0
        self._database.change(
            "UPDATE jobs SET state = ?, error = ?, bytes = ?, used = ? WHERE owner = ? AND name = ?",
            [state, json.dumps(dict(error)), size, time.time(), *ref],
        )

    def touch(self, ref: Ref) -> None:
        """Note that it was asked for."""
        self._database.change("UPDATE jobs SET used = ? WHERE owner = ? AND name = ?", [time.time(), *ref])

    def unfinished(self) -> list[Job]:
        """Queued and running jobs, in the order of their arrival."""
        found = self._database.ask(
            f"SELECT {_COLUMNS}, length(request) FROM jobs WHERE state IN ('queued', 'running') ORDER BY arrival"
        )
        return [_job(values) for values in found]

    def held(self, owner: str) -> list[Held]:
        """Every ended job: when it was last used, its name, and the bytes of what is kept of it."""
        found = self._database.ask(
            "SELECT used, name, bytes + length(request) FROM jobs"
            " WHERE owner = ? AND state IN ('done', 'failed', 'cancelled')",
            [owner],
        )
        return [Held(float(used), str(name), int(size)) for used, name, size in found]

    def forget(self, owner: str, jobs: Sequence[Held]) -> None:
        """Remove ended jobs and their results, but none that was asked for meanwhile."""
        ended = "used <= ? AND state IN ('done', 'failed', 'cancelled')"
        for job in jobs:
            values: list[Value] = [owner, job.name, job.used]
            if self._database.change(f"DELETE FROM jobs WHERE owner = ? AND name = ? AND {ended}", values):
                self.result(Ref(owner, job.name)).unlink(missing_ok=True)

    def result(self, ref: Ref) -> Path:
        """Where the result of a job is, once it is done."""
        return self._state / "tokens" / ref.owner / "results" / f"{ref.name}.json"


def _job(values: Sequence[Value]) -> Job:
    owner, name, state, total, error, attempts, *asked = values
    sizes = (int(size) for size in asked)
    return Job(Ref(str(owner), str(name)), int(total), str(state), json.loads(str(error)), int(attempts), *sizes)
