"""Which rows and trainings a stored request names; read without making a job of it, which costs many times as much."""

from __future__ import annotations

import json
from typing import NamedTuple


class Needs(NamedTuple):
    """Keys of rows, and names of the jobs that trained adapters."""

    rows: set[str]
    trainings: set[str]


def needs_of(request: str) -> Needs:
    """What a request names, in whatever form another version may have kept it; nothing where there is none."""
    said = json.loads(request) if request else {}
    arguments = _table(_table(said).get("arguments"))
    parts = _list(_table(arguments.get("injection")).get("kept"))
    return Needs(
        {key for key in _list(arguments.get("rows")) if isinstance(key, str)},
        {name for part in parts if isinstance(name := _table(part).get("job"), str)},
    )


def _table(said: object) -> dict[str, object]:
    return said if isinstance(said, dict) else {}


def _list(said: object) -> list[object]:
    return said if isinstance(said, list) else []
