"""Sizes in bytes, as people write and read them."""

from __future__ import annotations

import argparse
import re

from d2b_gate.cli.defaults import environment
from d2b_gate.core.errors import UsageError
from d2b_gate.core.printable import printable

BOUND = "CACHE_MAX_BYTES"
"""Of the environment, behind D2B_GATE_: how large the store may grow before it forgets by itself."""
MOST = "10G"
"""Our choice: the features of some hundred thousand rows of a small model, and room beside most models."""
_STEP = 1000
_UNITS = ("B", "kB", "MB", "GB", "TB")
_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?\Z", re.IGNORECASE)


def readable(size: int) -> str:
    """``538.1 MB``."""
    value, unit = float(size), 0
    while round(value, 1) >= _STEP and unit < len(_UNITS) - 1:
        value, unit = value / _STEP, unit + 1
    return f"{value:.1f} {_UNITS[unit]}" if unit else f"{size} B"


def parse_size(text: str) -> int:
    """``500MB``, ``2G``, ``1GiB`` or plain bytes; for argparse."""
    match = _WRITTEN.match(text.strip())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write for example 500MB or 2G")
    base = 1024 if match[3] else _STEP
    return int(float(match[1]) * base ** (" kmgt".index(match[2].lower() or " ")))


def bound() -> str:
    """How large the store may grow, as it was written."""
    return environment(BOUND, MOST)


def bound_in_bytes() -> int:
    """How large the store may grow."""
    try:
        return parse_size(bound())
    except argparse.ArgumentTypeError as error:
        raise UsageError(f"D2B_GATE_{BOUND}: {printable(str(error))}", remedy=f"unset it, or write {MOST}") from error
