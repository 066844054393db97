"""Files that grow line by line: the last word on a thing counts, and an unfinished last line is passed over."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

_Record = TypeVar("_Record")


def last_words(
    text: str, path: str, read: Callable[[str, str], _Record], about: Callable[[_Record], Hashable]
) -> tuple[_Record, ...]:
    """Read every whole line; of several records about one thing the last counts, at the place of the first.

    ``read`` takes a line and its place. A last line without its end is what an interrupted write leaves behind.
    """
    whole = text[: text.rfind("\n") + 1]
    found: dict[Hashable, _Record] = {}
    for number, line in enumerate(whole.split("\n"), start=1):
        if line.strip():
            record = read(line, f"{path}:{number}")
            found[about(record)] = record
    return tuple(found.values())
