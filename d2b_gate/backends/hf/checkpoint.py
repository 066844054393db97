"""Progress of a training on disk: what an interruption leaves behind, and where the next run takes it up."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

EVERY = 60.0
"""Seconds between checkpoints: what an interruption may cost at the most."""
_MOMENTS = ("exp_avg", "exp_avg_sq")


class Checkpoint:
    """One training's progress at ``path``; written whole or not at all, removed when the training is done."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = time.monotonic()

    def resume(self, trained: Sequence[torch.nn.Parameter], optimizer: torch.optim.AdamW) -> list[float]:
        """Put parameters and optimiser back to where they were; returns the losses so far, none at a fresh start."""
        try:
            with safe_open(str(self._path), framework="pt") as file:
                losses: list[float] = json.loads(file.metadata()["losses"])
                steps = float(file.metadata()["steps"])
                for index, parameter in enumerate(trained):
                    parameter.data.copy_(file.get_tensor(f"{index}.value"))
                    moments = {name: file.get_tensor(f"{index}.{name}").to(parameter.device) for name in _MOMENTS}
                    optimizer.state[parameter] = {"step": torch.tensor(steps), **moments}
        except (OSError, SafetensorError, KeyError, ValueError):
            return []  # none, or one of another version: the training begins anew
        return losses

    def keep(
        self, trained: Sequence[torch.nn.Parameter], optimizer: torch.optim.AdamW, losses: Sequence[float]
    ) -> None:
        """Write the progress if the last time is long enough ago."""
        if time.monotonic() - self._written < EVERY or not optimizer.state:
            return
        tensors = {f"{index}.value": parameter.detach().cpu() for index, parameter in enumerate(trained)}
        for index, parameter in enumerate(trained):
            state = optimizer.state[parameter]
            tensors |= {f"{index}.{name}": state[name].cpu() for name in _MOMENTS}
        steps = float(optimizer.state[trained[0]]["step"])
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = self._path.with_suffix(".tmp")
        save_file(tensors, str(unfinished), {"losses": json.dumps(list(losses)), "steps": repr(steps)})
        unfinished.replace(self._path)
        self._written = time.monotonic()

    def remove(self) -> None:
        """Forget the progress."""
        self._path.unlink(missing_ok=True)
