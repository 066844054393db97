"""A probe file as a tree of tables that know their lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from d2b_gate.core import toml

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEY = re.compile(r"""\s*["']?([A-Za-z0-9_-]+)["']?\s*=""")
_HEADER = re.compile(r"\s*\[\[?\s*([A-Za-z0-9_.-]+)\s*\]\]?\s*(?:#.*)?$")


class Table(dict[str, object]):
    """A TOML table with the line of its header and of its keys; a plain mapping to whoever does not care."""

    __slots__ = ("line", "lines")

    def __init__(self, content: Mapping[str, object], line: int, lines: Mapping[str, int]) -> None:
        super().__init__(content)
        self.line = line
        self.lines = lines


def parse(text: str, path: str) -> Table:
    """Parse a probe file; entries of its arrays of tables are `Table` too.

    Raises:
        PolicyError: the text is not TOML.
    """
    content = toml.parse(text, path)
    found = _scan(text)
    for name, value in content.items():
        if isinstance(value, list):
            content[name] = [_placed(entry, found.get((name, index))) for index, entry in enumerate(value)]
    return Table(content, *found[("", 0)])


def place(table: Mapping[str, object], where: str, key: str = "") -> str:
    """``file:line`` of a key (or of the table's header); ``where`` itself if the table does not know its lines."""
    if not isinstance(table, Table):
        return where
    return f"{where}:{table.lines.get(key, table.line)}"


_Found = tuple[int, dict[str, int]]


def _scan(text: str) -> dict[tuple[str, int], _Found]:
    """Find headers and keys by name, line by line: enough for flat files, and only used to point at a line."""
    current: _Found = (1, {})
    found = {("", 0): current}
    counts: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if header := _HEADER.match(line):
            index = counts[header[1]] = counts.get(header[1], -1) + 1
            current = found[(header[1], index)] = (number, {})
        elif key := _KEY.match(line):
            current[1].setdefault(key[1], number)
    return found


def _placed(entry: object, found: _Found | None) -> object:
    if not isinstance(entry, dict) or found is None:
        return entry
    return Table(entry, *found)
