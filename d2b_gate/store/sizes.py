"""What a store holds, in counts and bytes; and which of it is collected first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

DAY = 86_400.0
"""Seconds. Use is recorded to the day, so that reading does not write; the idea is the `relatime` mount option's."""
VALUES: Literal["values"] = "values"
ARRAYS: Literal["arrays"] = "arrays"
FEATURES: Literal["features"] = "features"
ROWS: Literal["rows"] = "rows"


class StoreSize(NamedTuple):
    """How much a store holds, indices of rows among the values. ``bytes`` counts content, not pages of databases."""

    values: int
    arrays: int
    bytes: int
    features: int = 0


class Stored(NamedTuple):
    """Something a store holds; the least recently ``used`` (seconds since the epoch) is collected first."""

    used: float
    bytes: int
    part: Literal["values", "arrays", "features", "rows"]
    name: tuple[str, str]  # (kind, key) of a value, ("", name) of a file, (shard, day) of that day's features
    entries: int = 1


class Gone(NamedTuple):
    """What must go: something held, and how much of it; what cannot be parted goes whole."""

    stored: Stored
    bytes: int


def collected(held: Iterable[Stored], max_bytes: int) -> list[Gone]:
    """Return what must go, least recently used first, so that at most ``max_bytes`` stay."""
    by_age = sorted(held)
    excess = sum(one.bytes for one in by_age) - max_bytes
    gone: list[Gone] = []
    for one in by_age:
        if excess <= 0:
            break
        gone.append(Gone(one, min(excess, one.bytes)))
        excess -= one.bytes
    return gone
