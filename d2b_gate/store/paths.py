"""Where things are kept between runs: ``models/`` and stores below one cache directory per user."""

from __future__ import annotations

import os
from pathlib import Path

ENVIRONMENT = "D2B_GATE_CACHE_DIR"
"""Set by users who keep caches elsewhere (another disk, a CI cache, one directory per trust level)."""


def cache_root() -> Path:
    """Return the cache directory, without creating it: the environment's, else the platform's for this user."""
    named = os.environ.get(ENVIRONMENT, "").strip()
    if named:
        return Path(named).expanduser().absolute()
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("d2b-gate", appauthor=False))
