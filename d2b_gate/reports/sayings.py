"""What the model is predicted to say before and after, as a word diff in git's marks: ``[-old-]{+new+}``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from d2b_gate.reports.describe import NAME
from d2b_gate.reports.escape import ELLIPSIS, terminal
from d2b_gate.reports.word_diff import Side, word_diff

if TYPE_CHECKING:
    from d2b_gate.core.verdict import Saying
    from d2b_gate.reports.word_diff import Difference, Run

_MARKS = {Side.BOTH: ("", ""), Side.BEFORE: ("[-", "-]"), Side.AFTER: ("{+", "+}")}
_MARK = re.compile(r"\[(?=-)|(?<=-)\]|\{(?=\+)|(?<=\+)\}")  # the bracket of a mark that a word itself holds
_WIDENED = 10  # an escape such as \U0001f43c takes ten characters


def drawn_in_words(saying: Saying) -> str:
    """``greedy``, or ``seed 7``: how the answer was drawn, alike in both states."""
    return terminal(saying.drawn, NAME)


def marked(saying: Saying, longest: int) -> str:
    """The difference on one line; of each side at most ``longest`` characters are compared."""
    before, after = saying.before[:longest], saying.after[:longest]
    found = word_diff(before, after)
    cut = found.cut or (before, after) != (saying.before, saying.after)
    line = _line(found) or "no answer"
    return terminal(line, len(line) * 4) + (f" {ELLIPSIS}" if cut else "")  # four: a colon becomes an escape


def _line(found: Difference) -> str:
    parts: list[str] = []
    behind = Side.BOTH
    for run in found.runs:
        replaces = run.side is Side.AFTER and behind is Side.BEFORE  # stands right behind what it replaces
        parts.append(" " if run.parted and parts and not replaces else "")
        parts.append(_told(run))
        behind = run.side
    return "".join(parts)


def _told(run: Run) -> str:
    opening, closing = _MARKS[run.side]
    words = terminal(run.words, len(run.words) * _WIDENED)
    return f"{opening}{_MARK.sub(_escaped, words)}{closing}"


def _escaped(found: re.Match[str]) -> str:
    return f"\\x{ord(found[0]):02x}"
