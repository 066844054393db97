"""Which files hold training rows, read without pydantic: all that a hook needs to know that it has nothing to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.errors import PolicyError, UsageError
from d2b_gate.policy.layers import read_layers
from d2b_gate.policy.merge import merge

if TYPE_CHECKING:
    from d2b_gate.policy.layers import Packs
    from d2b_gate.policy.merge import Merged

Globs = tuple[str, tuple[str, ...], tuple[str, ...]]
"""Name, include, exclude of one dataset."""


def dataset_globs(text: str, path: str, packs: Packs) -> tuple[Globs, ...]:
    """Return the globs of every dataset, in the policy's order.

    Raises:
        PolicyError: the datasets cannot be read; never an empty answer for a policy that is broken.
    """
    merged = merge(read_layers(text, path, packs))
    datasets = merged.table.get("dataset", [])
    if isinstance(datasets, list) and datasets:
        globs = tuple(_globs(merged, index, entry) for index, entry in enumerate(datasets))
        if not merged.problems:
            return globs
    else:
        merged.problems.append(UsageError("the policy has no [[dataset]]", where=merged.where(("dataset",))))
    raise PolicyError(merged.problems)


def _globs(merged: Merged, index: int, entry: object) -> Globs:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        merged.problems.append(UsageError("a [[dataset]] needs a name", where=merged.where(("dataset", index))))
        return "", (), ()
    include, exclude = entry.get("include"), entry.get("exclude", [])
    for key, patterns in (("include", include), ("exclude", exclude)):
        if not isinstance(patterns, list) or not all(isinstance(pattern, str) for pattern in patterns):
            where = merged.where(("dataset", index, key))
            merged.problems.append(UsageError(f"{key!r} must be a list of strings", where=where))
            return "", (), ()
    if not include:
        where = merged.where(("dataset", index, "include"))
        merged.problems.append(UsageError("'include' must name at least one glob", where=where))
    return entry["name"], tuple(include or ()), tuple(exclude)
