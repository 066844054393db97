"""Features of rows out of the store where it has them, and into it where they must be computed.

What was computed just now and what was stored long ago give the same numbers: both come out of the same packed bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from d2b_gate.core.packing import is_packed, packed, unpacked
from d2b_gate.core.ports import RowLength

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from d2b_gate.core.ports import Store
    from d2b_gate.core.rows import Row

T = TypeVar("T")

BYTES_AT_ONCE = 64 * 1024**2
"""Packed features on their way from or to the store: what is held besides the result. Our choice."""
LENGTHS_AT_ONCE = 65_536
"""Rows whose lengths are on their way."""
COMPUTED_AT_ONCE = 4_096
"""Rows computed before they are stored: what a killed run loses at most. Enough for batches of rows of like lengths."""
_LENGTH = struct.Struct("<3q")


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where features of one kind, of one model, are stored."""

    store: Store
    kind: str

    def get(self, rows: Sequence[Row]) -> dict[str, bytes]:
        """What is stored of these rows, by key."""
        return self.store.get_features(self.kind, [row.key for row in rows])

    def put(self, rows: Sequence[Row], contents: Sequence[bytes]) -> None:
        """Store what was computed of these rows."""
        self.store.put_features(self.kind, {row.key: one for row, one in zip(rows, contents, strict=True)})


def remembered_values(
    shelf: Shelf,
    rows: Sequence[Row],
    sizes: tuple[int, int],
    compute: Callable[[Sequence[Row]], NDArray[np.float32]],
) -> NDArray[np.float32]:
    """Features of every row, in order; ``compute`` is asked, once, for each distinct row that is not stored.

    Shapes: ``sizes`` is (sites, width); float32 (rows, sites, width), rounded as `core.packing` does.
    """
    import numpy as np

    distinct = _distinct(rows)
    values_nld = np.empty((len(distinct), *sizes), dtype=np.float32)
    missing: list[int] = []
    for places in _portions(range(len(distinct)), BYTES_AT_ONCE // (2 * sizes[0] * (sizes[1] + 1)) or 1):
        held = shelf.get([distinct[i] for i in places])
        known = [i for i in places if is_packed(held.get(distinct[i].key, b""), *sizes)]
        values_nld[known] = unpacked([held[distinct[i].key] for i in known], *sizes)
        missing += sorted(set(places).difference(known))
    for places in _portions(missing, COMPUTED_AT_ONCE):
        some = [distinct[i] for i in places]
        contents = packed(compute(some))
        shelf.put(some, contents)
        values_nld[places] = unpacked(contents, *sizes)
    if len(distinct) == len(rows):
        return values_nld
    place = {row.key: i for i, row in enumerate(distinct)}
    repeated_nld: NDArray[np.float32] = values_nld[[place[row.key] for row in rows]]
    return repeated_nld


def remembered_lengths(
    shelf: Shelf, rows: Sequence[Row], compute: Callable[[Sequence[Row]], tuple[RowLength, ...]]
) -> tuple[RowLength, ...]:
    """Lengths of every row, in order; ``compute`` is asked, once, for each distinct row that is not stored."""
    known: dict[str, RowLength] = {}
    for some in _portions(_distinct(rows), LENGTHS_AT_ONCE):
        held = shelf.get(some)
        known |= {key: RowLength(*_LENGTH.unpack(one)) for key, one in held.items() if len(one) == _LENGTH.size}
        missing = [row for row in some if row.key not in known]
        if missing:
            lengths = compute(missing)
            shelf.put(missing, [_LENGTH.pack(one.tokens, one.trained, one.cut) for one in lengths])
            known |= {row.key: length for row, length in zip(missing, lengths, strict=True)}
    return tuple(known[row.key] for row in rows)


def _distinct(rows: Sequence[Row]) -> list[Row]:
    return list({row.key: row for row in rows}.values())


def _portions(some: Sequence[T], size: int) -> Iterator[list[T]]:
    for start in range(0, len(some), size):
        yield list(some[start : start + size])
