"""What a store holds, in counts and bytes; and which of it is collected first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

DAY = 86_400.0
"""Seconds. Use is recorded to the day, so that reading does not write; the idea is the `relatime` mount option's."""


class StoreSize(NamedTuple):
    """How much a store holds. ``bytes`` counts the content, not the database's own pages."""

    values: int
    arrays: int
    bytes: int


class Stored(NamedTuple):
    """One thing a store holds; the least recently ``used`` (seconds since the epoch) is collected first."""

    used: float
    bytes: int
    name: tuple[str, str]  # (kind, key) of a value; ("", file name) of arrays


def collected(held: Iterable[Stored], max_bytes: int) -> list[Stored]:
    """Return what must go, least recently used first, so that at most ``max_bytes`` stay."""
    by_age = sorted(held)
    excess = sum(one.bytes for one in by_age) - max_bytes
    gone: list[Stored] = []
    for one in by_age:
        if excess <= 0:
            break
        gone.append(one)
        excess -= one.bytes
    return gone
