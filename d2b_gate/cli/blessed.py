"""The baseline's file: where it lies, and the commit that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.baseline import read_baseline
from d2b_gate.core.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from d2b_gate.core.baseline import Baseline
    from d2b_gate.gate.cumulative import Start
    from d2b_gate.sources.git import Repository

BASELINE = "d2b-gate.baseline.json"
"""Beside the policy, and read from the policy's state: a hook takes the index's, CI the base commit's."""


def recorded_baseline(reader: Callable[[str], str | None]) -> tuple[Baseline, ...]:
    """The baseline of a state; none where it has no such file."""
    text = reader(BASELINE)
    return () if text is None else (read_baseline(text, BASELINE),)


def start_of(baseline: Baseline, repository: Repository) -> Start:
    """The files of the blessed commit.

    Raises:
        EvaluationError: the commit is not here, as in a shallow clone.
    """
    from d2b_gate.gate.cumulative import Start  # a verdict from the store needs the file's name alone

    try:
        snapshot = repository.snapshot_commit(baseline.commit)
    except EvaluationError as error:
        raise EvaluationError(
            f"the blessed commit {baseline.commit} is not in this clone",
            where=BASELINE,
            remedy=f"run: git fetch --depth=1 origin {baseline.commit} (in CI: check out with fetch-depth: 0)",
        ) from error
    return Start(baseline, snapshot._replace(label=f"baseline {baseline.commit[:7]}"), BASELINE)
