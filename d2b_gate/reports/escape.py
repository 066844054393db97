r"""Hostile text for a terminal or a log: what could act, hide or reorder is shown as an escape such as ``\x1b``.

A backslash that is already in the text stays as it is, so that escaping twice changes nothing and paths stay readable.
"""

from __future__ import annotations

import re
import unicodedata

ELLIPSIS = "..."

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # controls, bidi and zero-width, surrogates, unassigned
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # letters and marks that show nothing
_SELECTORS = ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))  # variation selectors can carry hidden bytes
_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}

# A runner obeys `::command::` at the start of a line, after any spaces, and `##[command]` anywhere in it
# (github.com/actions/runner, ActionCommand.cs); other services obey `##name[`. Text may be wrapped at any space.
_COMMAND_START = re.compile(r"(?:(?<=\s)|\A):(?=:)")
_COMMAND_INSIDE = re.compile(r"#(?=\w*\[)")


def terminal(text: str, limit: int) -> str:
    """One line of at most ``limit`` characters that a terminal or a log shows and never obeys."""
    head = text[: limit + 1]  # no escape is shorter than what it stands for
    if not (head.isascii() and head.isprintable()):
        head = "".join(_visible(character) for character in head)
    shown = _COMMAND_INSIDE.sub(r"\\x23", _COMMAND_START.sub(r"\\x3a", head))
    if len(shown) <= limit:
        return shown
    return shown[: max(0, limit - len(ELLIPSIS))] + ELLIPSIS[:limit]


def ascii_only(text: str) -> str:
    """The text with every character past ASCII as an escape."""
    return text.encode("ascii", "backslashreplace").decode("ascii")


def _visible(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    unseen = unicodedata.category(character) in _UNSEEN or character in _BLANK
    if not unseen and not any(first <= code <= last for first, last in _SELECTORS):
        return character
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
