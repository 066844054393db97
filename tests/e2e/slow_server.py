"""`d2b-gate serve` whose fake model takes its time: python -m tests.e2e.slow_server SECONDS-PER-STEP serve ..."""

from __future__ import annotations

import sys
import time

from d2b_gate.backends import fake
from d2b_gate.cli import main

pause = float(sys.argv[1])
trained = fake.FakeBackend.finetune


def slowly(backend, plan):
    time.sleep(pause * len(plan.steps))
    return trained(backend, plan)


fake.FakeBackend.finetune = slowly
sys.exit(main(sys.argv[2:]))
