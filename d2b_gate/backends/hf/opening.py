"""Opens the local backend: finds the model, reads its identity from its files, and loads it when first needed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from d2b_gate.backends.hf.backend import HfBackend
from d2b_gate.backends.hf.models.builtin import PREFIX
from d2b_gate.backends.hf.models.card import card
from d2b_gate.backends.hf.models.locate import locate
from d2b_gate.core.errors import UnavailableError

if TYPE_CHECKING:
    from pathlib import Path

    from d2b_gate.backends.hf.engine import Engine
    from d2b_gate.backends.hf.models.files import ModelFiles
    from d2b_gate.core.ports import Progress
    from d2b_gate.core.rules import ModelSpec


AUTO_PULL = "D2B_GATE_AUTO_PULL"
"""Set to 1 where nobody is there to pull a built-in model: a runner with a new cache then fetches it itself."""


def open_backend(spec: ModelSpec, cache: Path, checkout: Path | None, progress: Progress, url: str = "") -> HfBackend:
    """Return the backend of a policy's model; imports no torch. ``url`` is for backends that have one.

    Raises:
        GateError: the model is not here, not what the policy pins, or unsafe to load.
    """
    del url
    files = _found(spec, cache, checkout, progress)
    identity = card(files, spec)

    def open_engine() -> Engine:
        from d2b_gate.backends.hf.engine import make_engine
        from d2b_gate.backends.hf.models.load import load

        loaded = load(files, identity)
        if not loaded.has_template:
            progress.note("this model has no chat template: rows are laid out as 'User: ...', 'Assistant: ...'")
        return make_engine(loaded.model, loaded.tokenizer, identity)

    return HfBackend(identity, open_engine, progress, cache / "training")


def _found(spec: ModelSpec, cache: Path, checkout: Path | None, progress: Progress) -> ModelFiles:
    try:
        return locate(spec, cache, checkout)
    except UnavailableError:
        if os.environ.get(AUTO_PULL) != "1" or not spec.id.startswith(PREFIX):
            raise
    from d2b_gate.backends.hf.models.pull import pull

    progress.note(f"{spec.id} is fetched into {cache}, once")
    pull(spec.id.removeprefix(PREFIX), cache, progress)
    return locate(spec, cache, checkout)
