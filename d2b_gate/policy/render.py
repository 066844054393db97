"""A policy as TOML: one file that says all that several layers said."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from d2b_gate.core.policy_change import entries_of, entry_values, name_key, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from d2b_gate.core.rules import Policy


def render(policy: Policy) -> str:
    """The effective policy; reading it gives the same policy, but for where its values stand."""
    return "".join(f"{line}\n" for line in _lines(policy))


def _lines(policy: Policy) -> Iterator[str]:
    yield "schema = 1"
    tables: dict[str, list[str]] = {"": []}
    for path, value in settings(policy).items():
        tables.setdefault(".".join(path[:-1]), []).append(f"{path[-1]} = {_toml(value)}")
    for name, lines in tables.items():
        if name:
            yield from ("", f"[{name}]")
        yield from lines
    for kind, _, name, entry in entries_of(policy):
        yield from ("", f"[[{kind}]]", f"{name_key(kind)} = {_toml(name)}")
        values = entry_values(entry, name_key(kind)).items()
        yield from (f"{key} = {_toml(value)}" for key, value in values if _is_said(key, value))


def _is_said(key: str, value: object) -> bool:
    """Whether a value can be written: what is unlimited, or asks for no target, is left out."""
    return value != math.inf and (key, value) != ("target", "") and (key, value) != ("columns", ())


def _toml(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", r"\u007f")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple) and value and all(isinstance(pair, tuple) for pair in value):
        return "{ " + ", ".join(f"{_toml(key)} = {_toml(inner)}" for key, inner in value) + " }"
    return f"[{', '.join(map(_toml, value))}]" if isinstance(value, tuple) else repr(value)
