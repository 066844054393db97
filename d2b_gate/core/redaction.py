"""What may be shown of text that a training row holds: runs of its words taken out of an answer, rows described."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from d2b_gate.core.rows import Row, Turn
    from d2b_gate.core.rules import ShowSamples

Run = tuple[str, ...]
"""`RUN` words that follow each other, without case and punctuation."""
RUN = 6
"""Words in a row that are taken for a row's and not for chance; shorter runs are everyone's."""
MOST_CHARACTERS = 400
"""Of one row; what a person reads at a glance."""
MOST_TURNS = 6
"""Of one row's description."""

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Thai, Lao, Burmese, Khmer, Japanese and Chinese part no words by spaces: each letter counts as one."""
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")


def words(text: str) -> list[str]:
    """The words of a text, without case and punctuation."""
    return [word.casefold() for word in _WORD.findall(text)]


def runs_of(rows: Iterable[Row], texts: Iterable[str]) -> frozenset[Run]:
    """Every run of `RUN` words of a text that stands in a turn of a row."""
    said = {run for text in texts for run in _runs(words(text))}
    if not said:
        return frozenset()
    return frozenset(run for row in rows for turn in row.turns for run in _runs(words(turn.content)) if run in said)


def redacted(text: str, runs: frozenset[Run], whose: str) -> str:
    """Replace what the runs cover by ``[n words of <whose>]``; runs that overlap or touch are one."""
    found = list(_WORD.finditer(text))
    said = _runs([match.group().casefold() for match in found])
    covered = {place + offset for place, run in enumerate(said) if run in runs for offset in range(RUN)}
    pieces, end = [], 0
    for first, last in _stretches(sorted(covered)):
        pieces += [text[end : found[first].start()], f"[{last - first + 1} words of {whose}]"]
        end = found[last].end()
    return "".join((*pieces, text[end:]))


def _runs(said: Sequence[str]) -> list[Run]:
    return [tuple(said[place : place + RUN]) for place in range(len(said) - RUN + 1)]


def _stretches(places: Sequence[int]) -> list[tuple[int, int]]:
    """First and last of every stretch of consecutive places."""
    stretches: list[tuple[int, int]] = []
    for place in places:
        if stretches and stretches[-1][1] == place - 1:
            stretches[-1] = (stretches[-1][0], place)
        else:
            stretches.append((place, place))
    return stretches


def sample_of(row: Row, samples: ShowSamples) -> str:
    """What a report may say of a row: nothing, how long its turns are and its key, or its text, cut."""
    if samples == "none":
        return ""
    if samples == "redacted":
        return f"{_described(row.turns)}; row {row.key[:8]}"
    text = " | ".join(f"{turn.role}: {turn.content}" for turn in row.turns)
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}\u2026"


def _described(turns: Sequence[Turn]) -> str:
    """``user 5 words, assistant 1 word``."""
    parts = [_counted(turn) for turn in turns[:MOST_TURNS]]
    rest = len(turns) - len(parts)
    return ", ".join((*parts, f"{rest} more turns") if rest else parts)


def _counted(turn: Turn) -> str:
    count = len(words(turn.content))
    return f"{turn.role} {count} word{'' if count == 1 else 's'}"
