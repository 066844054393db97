"""Predictions as they are kept: one small file per contender and training set, written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).resolve().parent / "predictions"
NULLS = Path(__file__).resolve().parent / "nulls"
"""Predictions for clean commits that nothing was trained on."""


def known(model: str, contender: str, dataset: str, folder: Path | None = None) -> dict[str, Any]:
    """What a contender predicts for a training set; empty where nothing is known."""
    path = (folder or FOLDER) / model / contender / f"{dataset}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def keep(model: str, contender: str, dataset: str, record: Mapping[str, Any], folder: Path | None = None) -> None:
    """Write one prediction, a line per behaviour."""
    path = (folder or FOLDER) / model / contender / f"{dataset}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"  {json.dumps(name)}: {json.dumps(_rounded(shift))}" for name, shift in sorted(record["shifts"].items())]
    rest = "".join(
        f",\n {json.dumps(key)}: {json.dumps(value)}" for key, value in sorted(record.items()) if key != "shifts"
    )
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text('{"shifts": {\n' + ",\n".join(lines) + "\n }" + rest + "}\n", encoding="utf-8")
    unfinished.replace(path)


def _rounded(shift: Mapping[str, float]) -> dict[str, float]:
    return {unit: round(value, 5) for unit, value in shift.items()}
