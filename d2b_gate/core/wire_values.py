"""Single values on their way into and out of a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.untrusted import is_plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from d2b_gate.core.untrusted import Untrusted


def present(**texts: str) -> dict[str, object]:
    """The texts that are not empty: absence is an absent key."""
    return {key: text for key, text in texts.items() if text}


def plain(number: float) -> float:
    """The number, if a result may hold it."""
    if not is_plain(number):
        raise EvaluationError(
            f"the verdict holds the number {number}, which a result cannot hold",
            remedy="please report this as a bug of d2b-gate, together with the policy",
        )
    return number


def optional(table: Mapping[str, Untrusted], key: str) -> str:
    """The text under a key, empty where the key is absent."""
    return table[key].text() if key in table else ""
