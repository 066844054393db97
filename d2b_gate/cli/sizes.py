"""Sizes in bytes, as people write and read them."""

from __future__ import annotations

import argparse
import re

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
