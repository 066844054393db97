"""Which words two texts share, and which one side alone has: pure, bounded, and nothing is escaped yet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LONGEST = 1200  # characters of a text that are compared; our choice: an answer is a few sentences
_MOST_WORDS = 240  # a comparison takes time with the square of it

# Words are what stands between blanks, as in git; of kana and ideographs, which no blanks part, each letter is one.
_UNPARTED = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"(\s*)([{_UNPARTED}]|[^\s{_UNPARTED}]+)")


class Side(Enum):
    """Which text has the words of a run."""

    BOTH = "both"
    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring words; ``parted`` says whether blanks stand before the first one."""

    side: Side
    words: str  # with one blank wherever the text has some
    parted: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """Two texts as runs; what one side alone has before an equal run stands with the older text first."""

    runs: tuple[Run, ...]
    cut: bool  # whether a text was longer than what was compared


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    parted: bool


def word_diff(before: str, after: str) -> Difference:
    """Compare two texts word by word; blanks do not count, and of long texts only the beginning."""
    (old, old_cut), (new, new_cut) = _words(before), _words(after)
    matcher = SequenceMatcher(None, [word.text for word in old], [word.text for word in new], autojunk=False)
    runs = chain.from_iterable(_runs(code, old[a:b], new[c:d]) for code, a, b, c, d in matcher.get_opcodes())
    return Difference(tuple(runs), old_cut or new_cut)


def _words(text: str) -> tuple[list[_Word], bool]:
    found = [_Word(word, bool(blanks)) for blanks, word in _WORD.findall(text[:LONGEST])]
    return found[:_MOST_WORDS], len(found) > _MOST_WORDS or len(text) > LONGEST


def _runs(code: str, old: Sequence[_Word], new: Sequence[_Word]) -> Iterator[Run]:
    if code == "equal":
        yield _run(Side.BOTH, new)
        return
    if old:
        yield _run(Side.BEFORE, old)
    if new:
        yield _run(Side.AFTER, new)


def _run(side: Side, words: Sequence[_Word]) -> Run:
    text = "".join(f" {word.text}" if word.parted else word.text for word in words)
    return Run(side, text.removeprefix(" "), words[0].parted)
