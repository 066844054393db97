"""JSON that is bounded before it is parsed, and strict where lenient parsers disagree."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NoReturn

from d2b_gate.formats import limits
from d2b_gate.formats.encoding import decoded
from d2b_gate.formats.errors import malformed, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(rb'["\[\]{},]')
_SPACE = re.compile(rb"[ \t\r\n]*")


def parse(content: bytes, path: str, line: int) -> object:
    """Parse one JSON value that begins on ``line``; refuses NaN, repeated keys, deep nesting and overlong rows."""
    check_size(len(content), path, line)
    _check_depth(content, path, line)
    try:
        value: object = _DECODER.decode(decoded(content, path, line))
    except json.JSONDecodeError as error:
        what = f"is not valid JSON ({error.msg} at column {error.colno})"
        raise malformed(path, line + error.lineno - 1, what, "repair the row") from error
    except ValueError as error:
        raise malformed(path, line, str(error), "repair the row") from error
    return value


def check_size(size: int, path: str, line: int) -> None:
    """Refuse a row that is too long to be one."""
    if size > limits.MAX_ROW_BYTES:
        what = f"the row is longer than {limits.MAX_ROW_BYTES >> 20} MiB"
        raise malformed(path, line, what, "is this file one row per line? split the row, or exclude the file")


def elements(content: bytes, start: int, path: str) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each element of the array whose ``[`` precedes ``start``.

    Only quotes, brackets and the array's own commas are looked at; whether an element is valid is for `parse` to say.
    """
    depth = 1
    for token, position in _tokens(content, start):
        depth += _step(token)
        if depth > limits.MAX_DEPTH:
            raise _too_deep(path, content.count(b"\n", 0, position) + 1)
        if depth == 0 or (depth == 1 and token == b","):
            yield start, position
            start = position + 1
        if depth == 0:
            return
    raise malformed(path, content.count(b"\n") + 1, "the JSON array is never closed", "the file was cut short")


def value_end(content: bytes, start: int) -> int:
    """Return the position after the object or array that begins at ``start``; the end of the content if it is open."""
    depth = 0
    for token, position in _tokens(content, start):
        depth += _step(token)
        if depth == 0:
            return position + 1
    return len(content)


def skip_space(content: bytes, position: int) -> int:
    """Return the position of the next byte that is not JSON white space."""
    match = _SPACE.match(content, position)
    return match.end() if match else position


def _check_depth(content: bytes, path: str, line: int) -> None:
    if content.count(b"[") + content.count(b"{") <= limits.MAX_DEPTH:
        return
    depth = 0
    for token, position in _tokens(content, 0):
        depth += _step(token)
        if depth > limits.MAX_DEPTH:
            raise _too_deep(path, line + content.count(b"\n", 0, position))


def _tokens(content: bytes, position: int) -> Iterator[tuple[bytes, int]]:
    """Yield each bracket and comma outside strings, with its position."""
    while match := _TOKEN.search(content, position):
        position = match.end()
        if match.group() == b'"':
            position = _string_end(content, position)
        else:
            yield match.group(), match.start()


def _step(token: bytes) -> int:
    return {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(token, 0)


def _too_deep(path: str, line: int) -> Exception:
    return malformed(path, line, f"the row nests deeper than {limits.MAX_DEPTH} levels", "flatten the row")


def _string_end(content: bytes, position: int) -> int:
    """Return the position after the quote that closes the string begun before ``position``."""
    while (end := content.find(b'"', position)) >= 0:
        piece = content[position:end]
        position = end + 1
        if (len(piece) - len(piece.rstrip(b"\\"))) % 2 == 0:
            return position
    return len(content)


def _no_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {quoted(repeated)} occurs twice, and parsers disagree on which counts")
    return mapping


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_no_repeats, parse_constant=_no_constant)
