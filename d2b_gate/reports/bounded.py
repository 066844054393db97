"""Texts that never outgrow their place: items are left out whole, and the text says how many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.reports.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Section:
    """Items between fixed lines. The fixed lines are the gate's own, and short."""

    above: tuple[str, ...]
    items: tuple[str, ...]
    noun: str  # "rule": what one item is
    most: int  # items
    size: int  # bytes of all items in UTF-8, so characters however they are counted
    below: tuple[str, ...] = ()
    bullet: str = ""  # before the line that says what was left out


def lines_of(section: Section, more: Callable[[str], str], shown: Callable[[str], str]) -> list[str]:
    """The section in lines, nothing where it has no item.

    ``more`` says how to see what was left out; ``shown`` is what becomes of an item before it is measured.
    """
    if not section.items:
        return []
    kept = _fitting(section, shown)
    hidden = len(section.items) - len(kept)
    rest = [f"{section.bullet}{more(counted(hidden, f'more {section.noun}'))}"] if hidden else []
    return [*section.above, *kept, *rest, *section.below]


def _fitting(section: Section, shown: Callable[[str], str]) -> list[str]:
    kept: list[str] = []
    left = section.size
    for item in map(shown, section.items[: section.most]):
        left -= len(item.encode("utf-8")) + 1
        if left < 0:
            break
        kept.append(item)
    return kept
