r"""JSON that may be printed into a log: ASCII, and no ``#``, for a runner obeys ``##[command]`` in any line."""

from __future__ import annotations

import json

from d2b_gate.reports.escape import terminal

_LINK = "]("
_NO_LINK = r"]\x28"


def dumped(value: object) -> str:
    """The value as indented JSON in ASCII, ending in a newline; keys stay in their order."""
    text = json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False)
    return text.replace("#", r"\u0023") + "\n"  # only strings hold a '#'


def unlinked(text: str, limit: int) -> str:
    """One line for a SARIF message, whose plain text knows links: ``[text](target)`` (SARIF 2.1.0, section 3.11.6)."""
    return terminal(text, limit).replace(_LINK, _NO_LINK)
