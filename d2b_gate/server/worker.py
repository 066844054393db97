"""One thread for each device: takes jobs in turn, runs them, and outlives whatever they do."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from d2b_gate.core.errors import EvaluationError, GateError
from d2b_gate.gate.caching import CachingBackend
from d2b_gate.server.counted import CountedBackend
from d2b_gate.server.hearing import spec_of
from d2b_gate.server.job_messages import FinetuneJob, JobAsked
from d2b_gate.server.refusal import failure_of, said_error
from d2b_gate.server.results import result_file
from d2b_gate.server.turns import Ref
from d2b_gate.server.verbs import Desktop, perform
from d2b_gate.server.watch import StoppedError
from d2b_gate.store.sqlite import DiskStore, open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from d2b_gate.core.ports import Backend
    from d2b_gate.server.desk import Desk
    from d2b_gate.server.jobs import Job, JobTable
    from d2b_gate.server.journal import Journal
    from d2b_gate.server.metrics import Metrics
    from d2b_gate.server.rows import RowTable
    from d2b_gate.server.served import Served
    from d2b_gate.server.watch import Watch

ASKED: TypeAdapter[JobAsked] = TypeAdapter(JobAsked)
_PAUSE = 1.0  # seconds after the state could not be written
_BROKEN = said_error("evaluation", "the server could not run this job", remedy="see the server's log")


class Stores:
    """The store of each token, opened when first needed and kept open."""

    def __init__(self, state: Path, most_bytes: int) -> None:
        """``most_bytes`` is what each may hold."""
        self._state = state
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._opened: dict[str, DiskStore] = {}

    def of(self, owner: str) -> DiskStore:
        """The store of one owner.

        Raises:
            EvaluationError: it cannot be used; one in memory would grow for ever, and forget.
        """
        with self._lock:
            if owner not in self._opened:
                store = open_store(self.folder(owner) / "store", self._most_bytes)
                if not isinstance(store, DiskStore):
                    raise EvaluationError("the server cannot keep what it computes", remedy="see the server's disk")
                self._opened[owner] = store
            return self._opened[owner]

    def folder(self, owner: str) -> Path:
        """Where everything of one owner lies."""
        return self._state / "tokens" / owner

    def close(self) -> None:
        """Close them all."""
        with self._lock:
            for store in self._opened.values():
                store.close()


@dataclass(frozen=True, slots=True)
class Shop:
    """What workers share."""

    desk: Desk
    jobs: JobTable
    rows: RowTable
    stores: Stores
    served: Served
    metrics: Metrics
    journal: Journal
    count_kept: Callable[[int], None]


def work(device: str, shop: Shop) -> None:
    """Run jobs until the desk closes; a state that cannot be written for a while ends nothing."""
    while shop.desk.is_open:
        _work_on(device, shop)


def _work_on(device: str, shop: Shop) -> None:
    try:
        for job, watch in shop.desk.taken():
            _run(device, job, watch, shop)
    except (OSError, sqlite3.Error) as error:
        shop.journal.line("state-unwritable", error=str(error))
        time.sleep(_PAUSE)
    except Exception as error:  # a bug, or no memory: nobody would start this thread again
        shop.journal.crash("worker-failed", error)
        time.sleep(_PAUSE)


def _run(device: str, job: Job, watch: Watch, shop: Shop) -> None:
    began = time.monotonic()
    verb, state = "unknown", "failed"
    error: Mapping[str, str] = _BROKEN
    try:
        shop.served.relay(device).turn_to(watch)
        verb, state, error = _outcome(device, job.ref, watch, shop)
        shop.served.relay(device).turn_to()
    finally:  # a job that is never given back would keep its token waiting for ever
        seconds = time.monotonic() - began
        if state == "parked":
            shop.desk.park(job.ref)
        else:
            shop.metrics.jobs.labels(verb, state).inc()
            shop.metrics.seconds.labels(verb).observe(seconds)
            shop.desk.end(job.ref, state, error)
            with suppress(OSError):  # there is no result, or it is forgotten again
                # only now: who looks at what is kept passes over a job that has not ended
                shop.count_kept(shop.jobs.result(job.ref).stat().st_size)
    shop.journal.line("job", verb=verb, state=state, seconds=seconds, job=job.ref.name[:12], device=device)


def _outcome(device: str, ref: Ref, watch: Watch, shop: Shop) -> tuple[str, str, Mapping[str, str]]:
    """Run one job; its verb, its state afterwards, and why it failed."""
    verb = "unknown"
    try:
        asked = asked_of(shop.jobs.request(ref))
        verb = asked.verb
        desktop = _desktop(device, ref, asked, watch, shop)
        with result_file(shop.jobs.result(ref)) as file:
            perform(ref.name, asked, desktop, file)
        shop.metrics.loaded.labels(asked.model.id, device).set(1)
    except StoppedError as stopped:
        return verb, *_stopped(stopped)
    except GateError as error:
        return verb, "failed", failure_of(error)
    except Exception as error:  # of torch, a driver, a plugin: this job failed, and others must not fail with it
        shop.journal.crash("job-crashed", error, verb=verb, job=ref.name[:12])
        what = f"the server could not run this job ({type(error).__name__})"
        return verb, "failed", said_error("evaluation", what, remedy="see the server's log, or ask its owner")
    return verb, "done", {}


def _stopped(stopped: StoppedError) -> tuple[str, Mapping[str, str]]:
    if stopped.why == "time":
        return "failed", said_error("evaluation", "the job took longer than the server allows", remedy="ask for less")
    return stopped.why, {}


def asked_of(request: str) -> JobAsked:
    """A job as it was asked for, from its body as it is kept.

    Raises:
        EvaluationError: another version kept it, which asked in another form.
    """
    try:
        return ASKED.validate_python(json.loads(request))
    except (ValidationError, ValueError):
        raise EvaluationError(
            "this job was asked for in a form that the server does not know", remedy="ask for it again"
        ) from None  # its words would quote rows and prompts


def _desktop(device: str, ref: Ref, asked: JobAsked, watch: Watch, shop: Shop) -> Desktop:
    folder = shop.stores.folder(ref.owner)
    inner: Backend = shop.served.backend(spec_of(asked.model), device, folder / "training")
    counted = CountedBackend(inner, lambda verb, rows: shop.metrics.rows_computed.labels(verb).inc(rows))
    backend = CachingBackend(counted, shop.stores.of(ref.owner), watch)
    return Desktop(backend, partial(shop.rows.fetch, ref.owner), partial(_training, ref.owner, shop), watch)


def _training(owner: str, shop: Shop, name: str) -> FinetuneJob:
    """The training that a job of this owner asked for."""
    request = shop.jobs.request(Ref(owner, name))
    asked = asked_of(request) if request else None
    if not isinstance(asked, FinetuneJob):
        raise EvaluationError("the training that made this adapter is no longer kept", remedy="ask for it again")
    return asked
