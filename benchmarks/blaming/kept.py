"""Rankings as they are kept: one small file per method and mixed set, written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.contenders import kept

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).resolve().parent / "rankings"


def known(model: str, method: str, dataset: str) -> dict[str, Any]:
    """Where a method ranks the planted rows of a mixed set; empty where nothing is known."""
    return kept.known(model, method, dataset, FOLDER)


def keep(model: str, method: str, dataset: str, record: Mapping[str, Any], folder: Path = FOLDER) -> None:
    """Write one ranking."""
    path = folder / model / method / f"{dataset}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text(json.dumps(record, sort_keys=True) + "\n", encoding="utf-8")
    unfinished.replace(path)
