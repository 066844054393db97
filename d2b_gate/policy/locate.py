"""Which line each key of a TOML text stands on; parsers do not say."""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Mapping

KeyPath = tuple[str | int, ...]

_BLANK = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\r\n]*")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?!")'  # the lookahead leaves up to two quotes before the closing three inside the string
    r"|'''.*?'''(?!')"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)


@lru_cache(maxsize=32)
def locate(text: str) -> Mapping[KeyPath, int]:
    """Return the 1-based line of every key, table and array element, by its path in the parsed document.

    Entries of arrays (of tables, too) have their index in the path. A table that is only implied stands where it is
    first named. ``text`` must be valid TOML.
    """
    scan = _Scan(text)
    scan.document()
    return MappingProxyType(scan.lines)


class _Scan:
    """A walk over the text; ``at`` is the next character."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._counted = (0, 1)  # (position, its line)
        self._entries: dict[KeyPath, int] = {}  # array of tables -> index of its last entry
        self.lines: dict[KeyPath, int] = {}

    def document(self) -> None:
        """Read headers and assignments to the end."""
        prefix: KeyPath = ()
        self._skip(_GAP)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                prefix = self._header()
            else:
                self._assignment(prefix)
            self._skip(_GAP)

    def _header(self) -> KeyPath:
        many = self._text.startswith("[[", self._at)
        self._at += 1 + many
        line, names = self._line(), self._key()
        self._at += 1 + many
        path: KeyPath = ()
        for name in names[:-1]:
            path = self._entered((*path, name), line)
        path = (*path, names[-1])
        if not many:
            return self._entered(path, line)
        self._note(path, line)
        self._entries[path] = self._entries.get(path, -1) + 1
        return self._entered(path, line)

    def _entered(self, path: KeyPath, line: int) -> KeyPath:
        """Note a table on the way; of an array of tables, step into the last entry."""
        self._note(path, line)
        if path in self._entries:
            path = (*path, self._entries[path])
            self._note(path, line)
        return path

    def _assignment(self, prefix: KeyPath) -> None:
        line = self._line()
        path = prefix
        for name in self._key():
            path = (*path, name)
            self._note(path, line)
        self._at += 1  # the equals sign
        self._skip(_BLANK)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        opening = self._text[self._at : self._at + 1]
        if opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        elif opening in ('"', "'"):
            self._take(_STRING)
        else:
            self._take(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        index = 0
        while not self._closed("]"):
            entry = (*path, index)
            self._note(entry, self._line())
            self._value(entry)
            index += 1

    def _inline_table(self, path: KeyPath) -> None:
        while not self._closed("}"):
            self._assignment(path)

    def _closed(self, closing: str) -> bool:
        """Step over the opening bracket or a comma; say whether the closing one follows, and step over it."""
        self._skip(_GAP)
        if self._text[self._at] != closing:
            self._at += 1
            self._skip(_GAP)
        if self._text[self._at] != closing:
            return False
        self._at += 1
        return True

    def _key(self) -> list[str]:
        """Read a dotted key; ends on the character after it and its blanks."""
        names = [self._name()]
        while self._text.startswith(".", self._at):
            self._at += 1
            names.append(self._name())
        return names

    def _name(self) -> str:
        self._skip(_BLANK)
        quoted = self._text[self._at] in "\"'"
        name = self._take(_STRING if quoted else _BARE)
        self._skip(_BLANK)
        return str(tomllib.loads(f"name = {name}")["name"]) if quoted else name

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise ValueError("the text is not valid TOML")
        self._at = match.end()
        return match[0]

    def _skip(self, pattern: re.Pattern[str]) -> None:
        self._take(pattern)

    def _line(self) -> int:
        position, line = self._counted
        self._counted = (self._at, line + self._text.count("\n", position, self._at))
        return self._counted[1]

    def _note(self, path: KeyPath, line: int) -> None:
        self.lines.setdefault(path, line)
