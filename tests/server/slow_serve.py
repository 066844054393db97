"""`d2b-gate serve` with the slow backend registered, as a process of its own."""

from __future__ import annotations

import sys

from d2b_gate import registry
from d2b_gate.cli import main

if __name__ == "__main__":
    registry.TABLES["backends"]["slow"] = "tests.server.slow"  # type: ignore[index] # a dict, behind its read-only type
    sys.exit(main(["serve", *sys.argv[1:]]))
