"""Which models are at hand, for ``model list``; nothing is hashed or loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.backends.hf.models.builtin import BUILTINS
from d2b_gate.backends.hf.models.locate import builtin_files
from d2b_gate.backends.hf.models.lock import read_lock

if TYPE_CHECKING:
    from pathlib import Path

    from d2b_gate.backends.hf.models.files import ModelFiles


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model that can be named in a policy. ``files`` is None until a built-in one is pulled."""

    id: str
    revision: str
    licence: str  # empty where only the model's own page says it
    files: ModelFiles | None

    @property
    def bytes(self) -> int:
        """Size on disk."""
        return sum(one.size for one in self.files.entries) if self.files else 0


def list_models(cache: Path) -> tuple[ListedModel, ...]:
    """Return the built-in models, pulled or not; then the hub's and local ones that were used and are still there."""
    builtin = [ListedModel(one.id, one.sha256, one.licence, builtin_files(one, cache)) for one in BUILTINS.values()]
    locks = sorted((cache / "models").glob("hub/*.json")) + sorted((cache / "models").glob("local/*.json"))
    used = [files for files in map(read_lock, locks) if files and files.path.is_dir()]
    return (*builtin, *(ListedModel(files.id, files.revision, "", files) for files in used))
