"""How rows are dealt: by the first bits of their keys, so that neither order nor workers change a shard."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from d2b_gate.core.rows import Row

_DIGITS = 8  # hex digits of a key that are looked at
SHARD_BYTES = 256 * 2**20  # of features in one answer; our choice: a hundred rows of a 70B model, two GPU batches
MOST_ROWS = 1024  # our choice: seconds of work, which is what a lost worker costs
SHARDS, LEAST_ROWS = 64, 32
"""Shards that what is asked for is cut into at least, so that as many workers have a part in it, down to a shard of so
many rows, which fill a batch. Our choice: not the number of workers, or that would change which rows stand together."""


def most_rows(blocks: int, width: int) -> int:
    """Rows of a shard whose float32 features at every block stay under the bytes of one answer."""
    return max(1, min(MOST_ROWS, SHARD_BYTES // (4 * blocks * width)))


def shared(count: int, most: int) -> int:
    """Rows of a shard where ``count`` distinct ones are asked for: fewer than ``most`` where they are for many."""
    return min(most, max(LEAST_ROWS, count // SHARDS))


def deal(rows: Iterable[Row], most: int) -> tuple[tuple[Row, ...], ...]:
    """Cut the distinct rows into shards of about ``most``, each sorted by key, as a function of the set of rows alone.

    A shard holds the keys that begin with the same bits, so a new row changes no shard but its own.
    """
    distinct = sorted({row.key: row for row in rows}.values(), key=lambda row: row.key)
    bits = max(0, ((len(distinct) - 1) // most).bit_length())
    return tuple(tuple(group) for _, group in groupby(distinct, key=lambda row: _leading(row.key, bits)))


def chunks(count: int, most: int) -> tuple[range, ...]:
    """Cut ``count`` places into runs of at most ``most``."""
    return tuple(range(start, min(start + most, count)) for start in range(0, count, most))


def places(rows: Sequence[Row]) -> dict[str, list[int]]:
    """Where each key stands; a row that occurs twice is computed once."""
    found: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        found.setdefault(row.key, []).append(index)
    return found


def _leading(key: str, bits: int) -> int:
    return int(key[:_DIGITS], 16) >> max(0, 4 * _DIGITS - bits)
