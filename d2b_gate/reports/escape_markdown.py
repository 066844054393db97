r"""Hostile text in Markdown: code spans for all that is not plainly a word, so that nothing in it is markup.

In a code span no forge looks for mentions, references to issues, links, emoji, images or HTML. Two characters cannot
stand in one that may lie in a table, and are shown as escapes: the backtick as ``\x60``, the pipe as ``\x7c``.
"""

from __future__ import annotations

import re
from itertools import groupby

from d2b_gate.reports.escape import terminal

# Letters joined by single marks, then a mark that ends a word or a clause: no link, list, emphasis, entity or mention
# can be made of it. A hyphen before a digit is code, for `GH-1` and `KEY-1` are references; so is a bare digit with a
# full stop or a bracket, which begins a list.
_LETTERS = r"[^\W\d_](?:[^\W_]|['/-](?=[^\W\d_])|(?<=\d)[.](?=\d))*"
_NUMBER = r"[+-]?(?:\d+|\d+[.]\d+\)?)[,;]?"
_PLAIN = re.compile(rf"\(?{_LETTERS}\)?[.,;:?]?|{_NUMBER}|%[,;]?|->")
_ENDING = re.compile(r"[).,;:?]+")
_EDGES = re.compile(r"(\(?)(.*?)([).,;:?]*)", re.DOTALL)  # around a code span they can do nothing
_IN_CODE = str.maketrans({"`": r"\x60", "|": r"\x7c"})


def code(text: str, limit: int) -> str:
    """The text as one code span; nothing for no text."""
    return _span(terminal(text, limit))


def prose(text: str, limit: int) -> str:
    """A sentence: plain words as they are, all else, and what stood between backticks, in code spans."""
    shown = ""
    for index, piece in enumerate(_pieces(terminal(text, limit))):
        ending = _ENDING.match(piece)  # what ends a clause right after a code span stays there
        close = ending[0] if ending and shown and not index % 2 else ""
        told = _span(piece) if index % 2 else _words(piece[len(close) :])
        shown = " ".join(part for part in (shown + close, told) if part)
    return shown


def _pieces(text: str) -> list[str]:
    """The text cut at its backticks; one that no other closes begins no code, or it would swallow what follows."""
    pieces = text.split("`")
    return pieces if len(pieces) % 2 else [*pieces[:-2], "`".join(pieces[-2:])]


def fenced(lines: list[str], limit: int, language: str) -> list[str]:
    """A block of lines in which nothing is markup."""
    return [f"```{language}", *(terminal(line, limit).translate(_IN_CODE) for line in lines), "```"]


def _words(text: str) -> str:
    runs = groupby(text.split(), key=lambda word: bool(_PLAIN.fullmatch(word)))
    return " ".join(" ".join(words) if plain else _edged(" ".join(words)) for plain, words in runs)


def _edged(run: str) -> str:
    edges = _EDGES.fullmatch(run)
    before, inside, after = edges.groups() if edges else ("", run, "")
    return f"{before}{_span(inside)}{after}" if inside else _span(run)


def _span(text: str) -> str:
    inside = text.strip().translate(_IN_CODE)
    return f"`{inside}`" if inside else ""
