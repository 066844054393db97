"""Names from a repository made safe to show: controls, bidi marks, zero-width characters and surrogates as escapes."""

from __future__ import annotations


def printable(text: str) -> str:
    """Escape everything that is not printable; a lone byte of a file name (surrogateescape) included."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
