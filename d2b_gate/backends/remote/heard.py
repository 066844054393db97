"""A server's results, checked: a broken or hostile server is an error with a sentence, never a wrong verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.ports import ModelCard
from d2b_gate.core.reading import Vocabulary
from d2b_gate.core.remote import heard_array, misheard
from d2b_gate.core.untrusted import LARGEST_INTEGER, is_plain

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXTS = ("id", "revision", "tokenizer_hash", "dtype", "device")
_COUNTS = ("blocks", "width", "max_length")
MOST = 10_000_000  # blocks, width or tokens; our choice: a thousand times any model's
LONGEST = 10_000  # characters of an answer; our choice: far past the few dozen tokens that are asked for


def card(said: object) -> ModelCard:
    """The server's model card."""
    table = said if isinstance(said, dict) else {}
    versions = table.get("versions")
    if not all(isinstance(table.get(name), str) for name in _TEXTS) or not isinstance(versions, list):
        raise misheard("its model card is incomplete")
    if not all(_whole(table.get(name)) and 0 < table[name] <= MOST for name in _COUNTS):
        raise misheard("its model card has no counts")
    if not all(isinstance(two, list) and [type(one) for one in two] == [str, str] for two in versions):
        raise misheard("its model card has no versions")
    return ModelCard(
        id=table["id"],
        revision=table["revision"],
        tokenizer_hash=table["tokenizer_hash"],
        dtype=table["dtype"],
        device=table["device"],
        blocks=table["blocks"],
        width=table["width"],
        max_length=table["max_length"],
        versions=tuple((name, version) for name, version in versions),
    )


def numbers(table: Mapping[str, object], key: str, shape: tuple[int, int]) -> list[list[int]]:
    """A table of whole numbers, none negative."""
    found = table.get(key)
    if not isinstance(found, list) or len(found) != shape[0]:
        raise misheard(f"{key!r} has not {shape[0]} entries")
    if not all(isinstance(one, list) and len(one) == shape[1] and all(map(_whole, one)) for one in found):
        raise misheard(f"{key!r} holds something else than counts")
    return found


def floats(table: Mapping[str, object], key: str, count: int) -> tuple[tuple[float, ...], ...]:
    """Lists of finite numbers."""
    found = table.get(key)
    if not isinstance(found, list) or len(found) != count or not all(isinstance(one, list) for one in found):
        raise misheard(f"{key!r} has not {count} entries")
    if not all(isinstance(value, int | float) and is_plain(value) for one in found for value in one):
        raise misheard(f"{key!r} holds something else than finite numbers")
    return tuple(tuple(float(value) for value in one) for one in found)


def answers(table: Mapping[str, object], key: str, count: int) -> tuple[str, ...]:
    """Texts."""
    found = table.get(key)
    if not isinstance(found, list) or len(found) != count:
        raise misheard(f"{key!r} has not {count} entries")
    if not all(isinstance(one, str) and len(one) <= LONGEST for one in found):
        raise misheard(f"{key!r} holds something else than short texts")
    return tuple(found)


def shares(table: Mapping[str, object]) -> Vocabulary:
    """Shares of tokens, and which of them are listed."""
    shares_v = heard_array(table.get("shares"), (-1,))
    listed = table.get("listed")
    if len(shares_v) and float(shares_v.min()) < 0:
        raise misheard("a share is negative")
    if not isinstance(listed, list) or not all(_whole(token) and token < len(shares_v) for token in listed):
        raise misheard("'listed' names tokens that there are not")
    return Vocabulary(shares_v, tuple(listed))


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_INTEGER
