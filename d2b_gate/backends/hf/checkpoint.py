"""Progress of a training on disk: what an interruption leaves behind, and where the next run takes it up."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import torch

EVERY = 60.0
"""Seconds between checkpoints: what an interruption may cost at the most."""
_VALUE = "value"
_STATE = ("step", "exp_avg", "exp_avg_sq")
"""What AdamW keeps of a parameter."""


class Checkpoint:
    """One training's progress at ``path``; written whole or not at all, removed when the training is done."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = time.monotonic()

    def resume(self, trained: Sequence[torch.Tensor], optimizer: torch.optim.AdamW) -> list[float]:
        """Put parameters and optimiser back to where they were; returns the losses so far, none at a fresh start."""
        try:
            with safe_open(str(self._path), framework="pt") as file:
                losses: list[float] = json.loads(file.metadata()["losses"])
                moved: list[int] = json.loads(file.metadata()["moved"])
                kept = [{name: file.get_tensor(f"{index}.{name}") for name in (_VALUE, *_STATE)} for index in moved]
        except (OSError, SafetensorError, KeyError, ValueError):
            return []  # none, or one of another version: the training begins anew
        for index, tensors in zip(moved, kept, strict=True):
            parameter = trained[index]
            parameter.data.copy_(tensors[_VALUE])
            moments = {name: tensors[name].to(parameter.device) for name in _STATE[1:]}
            optimizer.state[parameter] = {_STATE[0]: tensors[_STATE[0]], **moments}
        return losses

    def keep(self, trained: Sequence[torch.Tensor], optimizer: torch.optim.AdamW, losses: Sequence[float]) -> None:
        """Write the progress if the last time is long enough ago; a disk that is full costs the resumption alone."""
        if time.monotonic() - self._written < EVERY:
            return
        self._written = time.monotonic()
        # a layer that no text passes through (a vision tower) has no gradient, and so no state
        moved = [index for index, parameter in enumerate(trained) if optimizer.state.get(parameter)]
        tensors = {f"{index}.{_VALUE}": trained[index].detach().cpu() for index in moved}
        for index in moved:
            tensors |= {f"{index}.{name}": optimizer.state[trained[index]][name].cpu() for name in _STATE}
        unfinished = self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            save_file(tensors, str(unfinished), {"losses": json.dumps(list(losses)), "moved": json.dumps(moved)})
            unfinished.replace(self._path)
        except (OSError, SafetensorError):
            with suppress(OSError):
                unfinished.unlink()

    def remove(self) -> None:
        """Forget the progress."""
        with suppress(OSError):  # none was written, or its place is no directory
            self._path.unlink()
