"""Backends that a worker of a test's cluster opens by name."""

from __future__ import annotations

import os
import signal
import time

from d2b_gate.backends.fake import FakeBackend
from d2b_gate.core.errors import EvaluationError

POISON = "poison"
REFUSED = "refused"


class Moody(FakeBackend):
    """The fake, slowly: it ends its process at one word, refuses another, and says where it is in a file."""

    def __init__(self, folder):
        self.folder = folder

    def states(self, rows, pooling, sites=()):
        self._meet(rows)
        return super().states(rows, pooling, sites)

    def gradients(self, rows):
        self._meet(rows)
        return super().gradients(rows)

    def _meet(self, rows):
        (self.folder / str(os.getpid())).write_text(str(len(rows)))
        said = " ".join(turn.content for row in rows for turn in row.turns)
        if POISON in said:
            os.kill(os.getpid(), signal.SIGKILL)
        if REFUSED in said:
            raise EvaluationError("refuses this", where="x.jsonl:3", remedy="leave it out")
        time.sleep(0.2)


def moody(spec, cache, checkout, progress, url=""):
    return Moody(cache)


def stillborn(spec, cache, checkout, progress, url=""):
    """Opens in the process of the test, and in no other."""
    if os.getpid() != int(spec.revision):
        os.kill(os.getpid(), signal.SIGKILL)
    return FakeBackend()


class Other(FakeBackend):
    @property
    def card(self):
        from dataclasses import replace

        return replace(super().card, device="mps")


def unlike(spec, cache, checkout, progress, url=""):
    return FakeBackend() if os.getpid() == int(spec.revision) else Other()
