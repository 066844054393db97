"""Names for what was computed: a sha256 over everything that a result depends on, and nothing else."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

FEATURE_VERSION = 1
"""Raised whenever a feature, a reading or a tuning is computed differently; old stored values then no longer match."""
COMPUTED = 3
"""Raised where a backend begins to compute the same in another order: numbers that rounding tells apart are never
compared with each other, one from the store and one made anew. Calibrations hold all the same."""
SPOKEN = 100 * FEATURE_VERSION + COMPUTED
"""Both in one number, by which a server and its client know that they compute alike."""


def fingerprint(kind: str, parts: object) -> str:
    """Hash a nested value of dataclasses, mappings, sequences and scalars; field order and names are part of it."""
    canonical = json.dumps([FEATURE_VERSION, kind, _plain(parts)], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def fingerprint_with_keys(kind: str, parts: tuple[object, ...], keys: Iterable[Iterable[Iterable[str]]]) -> str:
    """`fingerprint` of ``(*parts, keys)`` with lists of lists of keys, which are in hex, without holding them."""
    opening = json.dumps([FEATURE_VERSION, kind, _plain(parts)], ensure_ascii=True, separators=(",", ":"))
    digest = hashlib.sha256(f"{opening.removesuffix(']]')},".encode())
    groups = ((((f'"{key}"',) for key in part) for part in group) for group in keys)
    for piece in _array(_array(map(_array, group)) for group in groups):
        digest.update(piece.encode())
    digest.update(b"]]")
    return digest.hexdigest()


def _array(items: Iterable[Iterable[str]]) -> Iterator[str]:
    """A JSON array in pieces, each item given in pieces."""
    before = "["
    for item in items:
        yield before
        yield from item
        before = ","
    yield "[]" if before == "[" else "]"


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return _sorted(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value.hex()  # exact, and never NaN in disguise
    if value is None or isinstance(value, (str, int, bool)):
        return value
    raise TypeError(f"cannot fingerprint a {type(value).__name__}")


def _sorted(mapping: Mapping[str, object]) -> dict[str, object]:
    return {str(key): _plain(mapping[key]) for key in sorted(mapping)}
