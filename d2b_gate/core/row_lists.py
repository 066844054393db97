"""Many rows, in memory or not: what is asked of them without holding them all."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Protocol, overload, runtime_checkable

from d2b_gate.core.rows import RowRef

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


Placed = tuple[str, str, int]
"""A row and its place: key, path and line, as which it sorts. A bare tuple, for there may be a million a second."""


@runtime_checkable
class Spooled(Protocol):
    """Rows that lie on disk, sorted both ways; iterating goes through them in file order."""

    def in_key_order(self) -> Iterator[Placed]:
        """Every row, by key, path and line."""

    def counts(self) -> Mapping[str, int]:
        """How many rows each path has; none has 0."""

    def at(self, path: str) -> Iterator[RowRef]:
        """The rows of one path, in file order."""


def in_key_order(refs: Sequence[RowRef]) -> Iterator[Placed]:
    """Every row, by key, path and line."""
    if isinstance(refs, Spooled):
        return refs.in_key_order()
    return iter(sorted((ref.key, ref.path, ref.line) for ref in refs))


def counts_of(refs: Sequence[RowRef]) -> Mapping[str, int]:
    """How many rows each path has; none has 0."""
    return refs.counts() if isinstance(refs, Spooled) else Counter(ref.path for ref in refs)


def rows_at(refs: Sequence[RowRef], path: str) -> Iterator[RowRef]:
    """The rows of one path, in the order in which they come."""
    return refs.at(path) if isinstance(refs, Spooled) else (ref for ref in refs if ref.path == path)


def concatenated(parts: Sequence[Sequence[RowRef]]) -> Sequence[RowRef]:
    """One list of rows after the other."""
    if len(parts) == 1:
        return parts[0]
    if any(isinstance(part, Spooled) for part in parts):
        return Joined(parts)
    return tuple(chain.from_iterable(parts))


class SpooledSequence(Sequence[RowRef]):
    """A sequence that is only ever walked through; a number or a slice is walked to."""

    @overload
    def __getitem__(self, index: int) -> RowRef: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[RowRef, ...]: ...

    def __getitem__(self, index: int | slice) -> RowRef | tuple[RowRef, ...]:
        """Return one row, or those of a slice that goes forward."""
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step < 1:
                raise ValueError("spooled rows are read forward")
            return tuple(islice(iter(self), start, max(start, stop), step))
        place = index + len(self) if index < 0 else index
        for ref in islice(iter(self), max(0, place), None) if place >= 0 else ():
            return ref
        raise IndexError(index)


class Joined(SpooledSequence):
    """Several lists of rows, one after the other."""

    def __init__(self, parts: Iterable[Sequence[RowRef]]) -> None:
        self._parts = tuple(parts)

    def __len__(self) -> int:
        """How many rows there are."""
        return sum(len(part) for part in self._parts)

    def __iter__(self) -> Iterator[RowRef]:
        """Every row, list by list."""
        return chain.from_iterable(self._parts)

    def in_key_order(self) -> Iterator[Placed]:
        """Every row, by key, path and line."""
        return heapq.merge(*(in_key_order(part) for part in self._parts))

    def counts(self) -> Mapping[str, int]:
        """How many rows each path has."""
        total: Counter[str] = Counter()
        for part in self._parts:
            total.update(counts_of(part))
        return total

    def at(self, path: str) -> Iterator[RowRef]:
        """The rows of one path, list by list."""
        return chain.from_iterable(rows_at(part, path) for part in self._parts)
