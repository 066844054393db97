"""Where the policy is: at the root of the repository, in exactly one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from d2b_gate.core.errors import UsageError
from d2b_gate.core.toml import parse
from d2b_gate.policy.layers import tool_table

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = ("d2b-gate.toml", ".d2b-gate.toml", ".github/d2b-gate.toml")
PYPROJECT = "pyproject.toml"


class Found(NamedTuple):
    """The policy's file and its text."""

    path: str
    text: str


def find_policy(read: Callable[[str], str | None]) -> Found:
    """Return the only policy of the state that ``read`` reads; ``read`` returns None for an absent file.

    Raises:
        UsageError: there is none, or more than one.
        PolicyError: pyproject.toml may hold one but is not TOML.
    """
    found = candidates(read)
    if not found:
        places = ", ".join((*FILES, f"[tool.d2b-gate] in {PYPROJECT}"))
        raise UsageError(f"there is no policy ({places})", remedy="run 'd2b-gate init' to write one")
    if len(found) > 1:
        raise too_many(found)
    return found[0]


def candidates(read: Callable[[str], str | None]) -> list[Found]:
    """Return every policy that stands where one may stand."""
    found = [Found(path, text) for path in FILES if (text := read(path)) is not None]
    text = read(PYPROJECT)
    if text is not None and "d2b-gate" in text and tool_table(parse(text, PYPROJECT)) is not None:
        found.append(Found(PYPROJECT, text))
    return found


def too_many(found: list[Found], where: str = "") -> UsageError:
    """The error for more than one policy."""
    names = " and ".join(candidate.path for candidate in found)
    return UsageError(f"there is more than one policy: {names}", where=where, remedy="keep one and delete the others")
