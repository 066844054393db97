"""`d2b-gate serve` whose fake model takes its time: python -m tests.e2e.slow_server SECONDS-PER-STEP serve ..."""

from __future__ import annotations

import sys
import time

from d2b_gate.backends import fake
from d2b_gate.cli import main

PAUSE = float(sys.argv[1])


class SlowBackend(fake.FakeBackend):
    """Tells of every step, as a model does, so that it can be watched and stopped."""

    def __init__(self, progress):
        self.progress = progress

    def finetune(self, plan):
        sys.stderr.write("begun to train\n")
        for _ in plan.steps:
            time.sleep(PAUSE)
            self.progress.advance()
        return super().finetune(plan)


def open_backend(spec, cache, checkout, progress, url=""):
    return SlowBackend(progress)


fake.open_backend = open_backend
sys.exit(main(sys.argv[2:]))
