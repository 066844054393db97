"""What a flag is where nobody gives it; read without argparse, which a hook does not always need."""

from __future__ import annotations

import os


def environment(name: str, default: str) -> str:
    """A ``D2B_GATE_*`` variable, or the default; a flag stands above both."""
    return os.environ.get(f"D2B_GATE_{name}") or default
