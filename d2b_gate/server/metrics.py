"""Counts for Prometheus; no label names a token, a row or a client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS = (0.01, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 7200)


class Metrics:
    """One server's counts, in a registry of their own."""

    def __init__(self) -> None:
        own = self._registry = CollectorRegistry()
        self.jobs = Counter("d2b_gate_jobs", "Jobs that ended, by verb and state", ("verb", "state"), registry=own)
        self.seconds = Histogram(
            "d2b_gate_job_seconds", "How long jobs ran, by verb", ("verb",), buckets=_SECONDS, registry=own
        )
        self.rows_computed = Counter(
            "d2b_gate_rows_computed", "Rows whose features were computed, by verb", ("verb",), registry=own
        )
        self.rows_received = Counter("d2b_gate_rows_received", "Rows that clients sent", registry=own)
        self.bytes_in = Counter("d2b_gate_received_bytes", "Bytes of bodies that were read", registry=own)
        self.refusals = Counter("d2b_gate_refusals", "Requests that were refused, by reason", ("reason",), registry=own)
        self.loaded = Gauge("d2b_gate_model_loaded", "1 where a model is in memory", ("model", "device"), registry=own)
        self._waiting = Gauge("d2b_gate_jobs_waiting", "Jobs that wait", registry=own)
        self._running = Gauge("d2b_gate_jobs_running", "Jobs that run", registry=own)

    def count_jobs(self, counts: Callable[[], tuple[int, int]]) -> None:
        """Ask for the queue's length whenever somebody looks."""
        self._waiting.set_function(lambda: counts()[0])
        self._running.set_function(lambda: counts()[1])

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self._registry)
