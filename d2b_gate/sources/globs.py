"""Include and exclude patterns on repository paths; no file system is asked.

As `pathlib.PurePath.full_match` does: a pattern covers the whole path from the root, case counts, ``*`` and ``?`` and
``[...]`` stay within one directory, and ``**`` alone between slashes is any number of directories, none included. A
leading ``./`` or ``/`` is dropped; a trailing ``/`` means everything below.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple


class Globs(NamedTuple):
    """Which paths a dataset holds: those that an ``include`` matches and no ``exclude`` does."""

    include: tuple[str, ...]
    exclude: tuple[str, ...] = ()

    def matches(self, path: str) -> bool:
        """Whether the path is one of the dataset's."""
        return _any(self.include, path) and not _any(self.exclude, path)

    def concerns(self, path: str) -> bool:
        """Whether a change of the path can change the dataset: it matches, or it is a DVC file, whatever that holds."""
        return path.endswith(".dvc") or self.matches(path)


def _any(patterns: tuple[str, ...], path: str) -> bool:
    return any(compiled(pattern).fullmatch(path) for pattern in patterns)


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """Return the regular expression that matches a whole path."""
    plain = pattern.removeprefix("./").lstrip("/")
    segments = [segment for segment in (f"{plain}**" if plain.endswith("/") else plain).split("/") if segment]
    parts = [_SEGMENTS if segment == "**" else _segment(segment) + "/" for segment in segments]
    expression = "".join(parts)
    if segments and segments[-1] == "**":
        return re.compile(expression.removesuffix(_SEGMENTS) + ".+", re.DOTALL)
    return re.compile(expression.removesuffix("/"), re.DOTALL)


_SEGMENTS = "(?:[^/]+/)*"


def _segment(segment: str) -> str:
    """Translate one directory or file name; a lone ``*`` needs at least one character."""
    if set(segment) == {"*"}:
        return "[^/]+"
    expression, position = "", 0
    while position < len(segment):
        piece, position = _piece(segment, position)
        if not (piece == "[^/]*" and expression.endswith(piece)):
            expression += piece
    return expression


def _piece(segment: str, position: int) -> tuple[str, int]:
    char = segment[position]
    if char == "*":
        return "[^/]*", position + 1
    if char == "?":
        return "[^/]", position + 1
    # A "]" that comes first, after an optional "!", belongs to the set.
    end = segment.find("]", position + (3 if segment[position + 1 : position + 2] == "!" else 2))
    if char != "[" or end < 0:
        return re.escape(char), position + 1
    return _set(segment[position + 1 : end]), end + 1


def _set(inside: str) -> str:
    """Translate the inside of ``[...]``; a range that runs backwards matches nothing."""
    negated = inside.startswith("!")
    members = inside[1:] if negated else inside
    expression, position = "", 0
    while position < len(members):
        if position + 2 < len(members) and members[position + 1] == "-":
            low, high = members[position], members[position + 2]
            expression += f"{re.escape(low)}-{re.escape(high)}" if low <= high else ""
            position += 3
        else:
            expression += re.escape(members[position])
            position += 1
    if not expression:
        return "[^/]" if negated else "(?!)"
    return f"(?!/)[{'^' if negated else ''}{expression}]"
