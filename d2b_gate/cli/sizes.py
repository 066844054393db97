"""Sizes in bytes, as people write and read them."""

from __future__ import annotations

import argparse

from d2b_gate.store.bound import size_of

_STEP = 1000
_UNITS = ("B", "kB", "MB", "GB", "TB")


def readable(size: int) -> str:
    """``538.1 MB``."""
    value, unit = float(size), 0
    while round(value, 1) >= _STEP and unit < len(_UNITS) - 1:
        value, unit = value / _STEP, unit + 1
    return f"{value:.1f} {_UNITS[unit]}" if unit else f"{size} B"


def parse_size(text: str) -> int:
    """``500MB``, ``2G``, ``1GiB`` or plain bytes; for argparse."""
    try:
        return size_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
