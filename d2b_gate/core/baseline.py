"""The last blessed state of the training data, as it is saved: what small shifts are added up from.

It names a commit and what every dataset held there, and no prediction: a prediction depends on model, method and rows,
so both states are predicted anew, by the same policy and from the same kept rows, whenever they are compared.
One line per record, sorted by kind and name, and the only line without a comma is always the last: git merges two
changes of different records, and two blessings of different commits are a conflict for people to settle.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.untrusted import PREFIX, Untrusted

if TYPE_CHECKING:
    from collections.abc import Iterable

SCHEMA = "d2b-gate.baseline/1"
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_DATASET, _ACCEPT = "dataset ", "accept "


@dataclass(frozen=True, slots=True)
class Blessed:
    """What one dataset held: how many rows that train, and the digest of their keys (see `rows_digest`)."""

    dataset: str
    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A rule past its cumulative limit that somebody accepted when this state was blessed, and why."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """A blessed state: a commit and what its datasets held."""

    commit: str
    datasets: tuple[Blessed, ...]
    accepted: tuple[Accepted, ...] = ()

    def held(self, dataset: str) -> Blessed:
        """What a dataset held; one that was not recorded held nothing."""
        return next((one for one in self.datasets if one.dataset == dataset), Blessed(dataset, 0, rows_digest(())))


def rows_digest(keys: Iterable[str]) -> str:
    """The sha256 of a multiset of row keys: places and order are no part of it."""
    return sorted_digest(sorted(keys))


def sorted_digest(keys: Iterable[str]) -> str:
    """`rows_digest` of keys that come sorted; none is held."""
    digest, between = hashlib.sha256(), ""
    for key in keys:
        digest.update(f"{between}{key}".encode())
        between = "\n"
    return digest.hexdigest()


def baseline_text(baseline: Baseline) -> str:
    """The saved form."""
    records: dict[str, object] = {"schema": SCHEMA, "state": {"commit": baseline.commit}}
    records |= {f"{_DATASET}{one.dataset}": {"rows": one.rows, "sha256": one.digest} for one in baseline.datasets}
    records |= {f"{_ACCEPT}{one.rule}": {"reason": one.reason} for one in baseline.accepted}
    lines = [f"{json.dumps(name)}: {json.dumps(records[name], sort_keys=True)}" for name in sorted(records)]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def read_baseline(text: str, path: str) -> Baseline:
    """Read the saved form back.

    Raises:
        EvaluationError: it is damaged; a merge that went wrong leaves a record twice, or marks of a conflict.
    """
    try:
        top = Untrusted(json.loads(text, object_pairs_hook=_unique), "").members()
        (top.pop("schema") if "schema" in top else Untrusted("", "schema")).one_of({SCHEMA: SCHEMA})
        commit = _commit(top.pop("state")) if "state" in top else _refuse("the record 'state' is missing")
        return Baseline(
            commit,
            tuple(_blessed(name, node) for name, node in top.items() if name.startswith(_DATASET)),
            tuple(_accepted(name, node) for name, node in top.items() if not name.startswith(_DATASET)),
        )
    except (ValueError, EvaluationError, RecursionError) as error:
        what = getattr(error, "what", "it is not JSON with one record of each name").removeprefix(PREFIX)
        raise EvaluationError(
            f"is not a baseline that can be used: {what}",
            where=path,
            remedy="take the file of the last good commit, or delete it and run: d2b-gate baseline create",
        ) from error


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a record occurs twice")
    return table


def _commit(node: Untrusted) -> str:
    commit = node.fields("commit")["commit"].text()
    return commit if _COMMIT.match(commit) else _refuse("its commit is no whole commit id")


def _refuse(what: str) -> str:
    raise EvaluationError(what)


def _blessed(name: str, node: Untrusted) -> Blessed:
    table = node.fields("rows sha256")
    return Blessed(name.removeprefix(_DATASET), table["rows"].count(), table["sha256"].text())


def _accepted(name: str, node: Untrusted) -> Accepted:
    if not name.startswith(_ACCEPT):
        _refuse("a record is neither of a dataset nor of an accepted rule")
    return Accepted(name.removeprefix(_ACCEPT), node.fields("reason")["reason"].text())
