"""The committed truth: one file per training set, written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).resolve().parent / "table"


def path_of(model: str, name: str) -> Path:
    """Where a training set's truth is kept."""
    return FOLDER / model / f"{name}.json"


def known(model: str, name: str) -> dict[str, Any]:
    """What is known of a training set; empty where nothing is."""
    path = path_of(model, name)
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def keep(model: str, name: str, record: Mapping[str, object]) -> None:
    """Write a training set's truth."""
    path = path_of(model, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text(_laid_out(record), encoding="utf-8")
    unfinished.replace(path)


def _laid_out(record: Mapping[str, object]) -> str:
    """JSON with one line per behaviour, so that a difference can be read."""
    text = json.dumps(record, indent=1, sort_keys=True, ensure_ascii=True)
    lines: list[str] = []
    inside = False
    for line in text.split("\n"):
        if inside:
            lines[-1] += line.strip() + ("" if line.strip().startswith("]") else " ")
            inside = not line.strip().startswith("]")
        else:
            lines.append(line)
            inside = line.rstrip().endswith("[")
    return "\n".join(lines) + "\n"


def everything(model: str) -> dict[str, dict[str, Any]]:
    """Every training set's truth by name."""
    return {path.stem: known(model, path.stem) for path in sorted((FOLDER / model).glob("*.json"))}
