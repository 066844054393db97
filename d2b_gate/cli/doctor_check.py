"""What one check of `doctor` found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Check:
    """``missing`` keeps a check of the gate from running; ``optional`` is good to have."""

    name: str
    state: Literal["ok", "missing", "optional"]
    what: str
    remedy: str = ""
