"""The files that ``extends`` names: shipped packs, and files of the repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.errors import UsageError
from d2b_gate.core.suggest import did_you_mean
from d2b_gate.policy.layers import pinned, pinned_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PREFIX = "d2b:"


def pack_reader(pack_dir: Path, repo_reader: Callable[[str], str | None]) -> Callable[[str], tuple[str, str]]:
    """Return a reader of (text, display path) for names that `read_layers` has found well-formed.

    ``pack_dir`` is the folder of the shipped policies; ``repo_reader`` returns a file of the judged state, or of the
    commit that a pinned name gives, or None.
    """

    def read(name: str) -> tuple[str, str]:
        if name.startswith(PREFIX):
            return _shipped(pack_dir, name), name
        text = repo_reader(name)
        if text is None:
            raise UsageError(f"cannot extend {name!r}: there is no such file", remedy="add it to git")
        commit_and_path = pinned(name)
        return text, pinned_path(*commit_and_path) if commit_and_path else name

    return read


def _shipped(pack_dir: Path, name: str) -> str:
    known = {f"{PREFIX}{file.stem}": file for file in pack_dir.glob("*.toml")}
    if name not in known:
        raise UsageError(f"there is no pack {name!r}", remedy=did_you_mean(name, known))
    return known[name].read_text(encoding="utf-8")
