"""Hostile text in a workflow command of the GitHub runner: the command that was meant, and no other."""

from __future__ import annotations

from d2b_gate.reports.escape import terminal

_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def message(lines: list[str], limit: int) -> str:
    """Lines of at most ``limit`` characters each as the text of a command; the runner shows them as lines again."""
    return "\n".join(terminal(line, limit) for line in lines).translate(_DATA)


def property_value(text: str, limit: int) -> str:
    """The value of a property such as ``file``; the runner trims spaces at the end of the last one."""
    return terminal(text, limit).translate(_PROPERTY)
