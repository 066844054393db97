"""What the store's tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.store.sqlite import DiskStore, open_store

if TYPE_CHECKING:
    from pathlib import Path


def on_disk(root: Path) -> DiskStore:
    opened = open_store(root)
    assert isinstance(opened, DiskStore)
    return opened


def array_files(root: Path) -> list[Path]:
    return sorted((root / "arrays").glob("*/*.safetensors"))
