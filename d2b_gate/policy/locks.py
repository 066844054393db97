"""What a child policy may not do to a rule that its parent locked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_UNLIMITED = {"max_level": math.inf, "budget_delta": math.inf}


def loosened(parent: Mapping[str, object], child: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield (key of the child, sentence) for everything that would loosen a locked rule; nothing for an open one."""
    if parent.get("locked") is not True:
        return
    if child.get("locked", True) is not True:
        yield "locked", "it may not be unlocked"
    for key in ("probe", "target"):
        if key in child and child[key] != parent.get(key, ""):
            yield key, f"{key!r} may not change from {parent.get(key, '')!r} to {child[key]!r}"
    yield from _larger_limits(parent, child)
    yield from _narrower_scope(parent, child)


def _larger_limits(parent: Mapping[str, object], child: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for key in ("fail_delta", "warn_delta", "max_level", "budget_delta"):
        default = parent.get("fail_delta") if key == "warn_delta" else _UNLIMITED.get(key)
        old, new = parent.get(key, default), child.get(key)
        if isinstance(old, int | float) and isinstance(new, int | float) and not new <= old:
            yield key, f"{key!r} may not grow from {old:g} to {new:g}"


def _narrower_scope(parent: Mapping[str, object], child: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    old, new = parent.get("direction", "increase"), child.get("direction")
    if new is not None and new not in (old, "either"):
        yield "direction", f"'direction' may not narrow from {old!r} to {new!r}"
    before, after = parent.get("datasets") or [], child.get("datasets")
    if not isinstance(before, list) or not isinstance(after, list) or not after:
        return  # an empty list judges all datasets, so it never narrows
    if not before:
        yield "datasets", "'datasets' may not narrow from all datasets to some"
    elif missing := [name for name in before if name not in after]:
        yield "datasets", f"'datasets' may not leave out {', '.join(map(repr, missing))}"
