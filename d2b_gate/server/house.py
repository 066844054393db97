"""Everything of one server that its routes and its workers share, opened at its start and closed at its end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from d2b_gate.core.errors import GateError
from d2b_gate.server.bell import Bell
from d2b_gate.server.database import open_database
from d2b_gate.server.desk import Desk
from d2b_gate.server.job_messages import FinetuneJob
from d2b_gate.server.jobs import JobTable
from d2b_gate.server.keeping import Keeper
from d2b_gate.server.metrics import Metrics
from d2b_gate.server.needs import needs_of
from d2b_gate.server.rows import RowTable
from d2b_gate.server.served import Served
from d2b_gate.server.turns import Ref
from d2b_gate.server.worker import Shop, Stores, asked_of, work

if TYPE_CHECKING:
    from d2b_gate.server.job_messages import JobAsked
    from d2b_gate.server.journal import Journal
    from d2b_gate.server.settings import Settings


class House:
    """One server without its network."""

    def __init__(self, settings: Settings, journal: Journal) -> None:
        """Find the models and take up the state.

        Raises:
            GateError: a model is not here, or the state cannot be used.
        """
        self.settings = settings
        self.journal = journal
        self.metrics = Metrics()
        self.bell = Bell()
        self.going = True
        self.served = Served(settings, lambda text: journal.line("note", text=text))
        self._database = open_database(settings.state)
        self.rows = RowTable(self._database)
        self.jobs = JobTable(self._database, settings.state)
        self.stores = Stores(settings.state, settings.limits.kept_bytes)
        self.desk = Desk(self.jobs, settings.limits, self.bell.ring)
        self.metrics.count_jobs(self.desk.counts)
        self._keeper = Keeper(self)
        shop = Shop(
            *(self.desk, self.jobs, self.rows, self.stores, self.served, self.metrics, journal, self.count_kept)
        )
        self._workers = [
            threading.Thread(target=self._work, args=(device, shop), name=f"worker-{device}", daemon=True)
            for device in settings.devices
        ]
        self._loaded: set[str] = set()

    def start(self) -> None:
        """Begin to work."""
        for worker in self._workers:
            worker.start()
        self._keeper.start()

    @property
    def ready(self) -> bool:
        """Whether jobs are taken in and run."""
        loaded = not self.settings.preload or len(self._loaded) == len(self._workers)
        return self.desk.is_open and loaded and all(worker.is_alive() for worker in self._workers)

    def owners(self) -> set[str]:
        """The places of all who have rows or jobs here, whether their tokens are still known or not."""
        found = self._database.ask("SELECT owner FROM rows UNION SELECT owner FROM jobs")
        return {str(owner) for (owner,) in found}

    def needed_rows(self, owner: str) -> set[str]:
        """Keys of the rows of jobs that wait or run, and of the trainings that these name; a request at a time."""
        rows: set[str] = set()
        trainings: set[str] = set()
        for job in self.jobs.unfinished():
            if job.ref.owner == owner:
                needs = needs_of(self.jobs.request(job.ref))
                rows |= needs.rows
                trainings |= needs.trainings
        for name in trainings:
            rows |= needs_of(self.jobs.request(Ref(owner, name))).rows
        return rows

    def count_kept(self, size: int) -> None:
        """Note that so many bytes more are kept; the keeper looks when they are many."""
        self._keeper.count(size)

    def give_back(self) -> None:
        """Return to the disk what was forgotten."""
        self._database.give_back()

    def training(self, owner: str, name: str) -> tuple[FinetuneJob, ...]:
        """The training that this owner asked for under a name, if it did."""
        asked = _understood(self.jobs.request(Ref(owner, name)))
        return tuple(one for one in asked if isinstance(one, FinetuneJob))

    def end(self, seconds: float) -> bool:
        """Wait for the workers this long and close everything; False where one is still in the middle of a step."""
        self._keeper.end(seconds)
        for worker in self._workers:
            worker.join(seconds)
        ended = not any(worker.is_alive() for worker in self._workers)
        if not ended:
            self.desk.abandon()
            return False
        self.stores.close()
        self._database.close()
        return True

    def _work(self, device: str, shop: Shop) -> None:
        if self.settings.preload:
            self._preload(device)
        work(device, shop)

    def _preload(self, device: str) -> None:
        """Load; a model that cannot be loaded is said, and said again to whoever asks for it."""
        try:
            self.served.preload(device)
        except GateError as error:
            self.journal.line("preload-failed", error=str(error))
        else:
            self._loaded.add(device)
            for spec in self.settings.models:
                self.metrics.loaded.labels(spec.id, device).set(1)


def _understood(request: str) -> tuple[JobAsked, ...]:
    """A job as it was asked for; none where there is none, or one of another version, which will fail when it runs."""
    try:
        return (asked_of(request),) if request else ()
    except GateError:
        return ()
