"""Texts that never outgrow their place: items are left out whole, and the text says how many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from d2b_gate.reports.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Section(Generic[T]):
    """Items between fixed lines. The fixed lines are the gate's own, and short."""

    items: Sequence[T]
    told: Callable[[T], str]  # an item as text
    noun: str  # "rule": what one item is
    most: int  # items
    size: int  # bytes of all items in UTF-8, so characters however they are counted
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    bullet: str = ""  # before the line that says what was left out

    def lines(self, more: Callable[[str], str], shown: Callable[[str], str]) -> list[str]:
        """The section in lines, nothing where it has no item.

        ``more`` says how to see what was left out; ``shown`` is what becomes of an item before it is measured.
        """
        if not self.items:
            return []
        kept = self._fitting(shown)
        hidden = len(self.items) - len(kept)
        rest = [f"{self.bullet}{more(counted(hidden, f'more {self.noun}'))}"] if hidden else []
        return [*self.above, *kept, *rest, *self.below]

    def _fitting(self, shown: Callable[[str], str]) -> list[str]:
        kept: list[str] = []
        left = self.size
        for item in self.items[: self.most]:
            text = shown(self.told(item))
            left -= len(text.encode("utf-8")) + 1
            if left < 0:
                break
            kept.append(text)
        return kept
