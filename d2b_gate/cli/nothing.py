"""The cheapest question of a hook: does this change touch any training data at all? Answered by git and globs alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.policy.globs import dataset_globs
from d2b_gate.policy.packs import pack_reader
from d2b_gate.probes.catalogue import pack_root
from d2b_gate.sources.globs import Globs

if TYPE_CHECKING:
    from d2b_gate.cli.context import Standpoint
    from d2b_gate.policy.find import Found


def nothing_to_do(stand: Standpoint, found: Found) -> bool:
    """Whether no changed path belongs to a dataset of the policy.

    Imports no pydantic, numpy or torch: most commits of a data repository touch no data, and pay for this alone.
    """
    changes = stand.changes()
    if changes is None:
        return False
    if not changes:
        return True
    datasets = dataset_globs(found.text, found.path, pack_reader(pack_root(), stand.reader()))
    globs = [Globs(include, exclude) for _, include, exclude in datasets]
    return not any(one.concerns(change.path) for change in changes for one in globs)
