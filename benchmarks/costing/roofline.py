"""The rate at which this machine multiplies matrices of the model's shapes: the roof under which extraction runs."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from d2b_gate.backends.hf.engine import Engine

TOKENS = 4096
"""Rows of the left matrix: those of a full batch on a CPU."""
SECONDS = 1.5
"""How long each shape is multiplied."""


def matrix_rate(engine: Engine, tokens: int = TOKENS, seconds: float = SECONDS) -> float:
    """FLOP/s over the shapes of one block's matrices, in the engine's dtype and on its device; shapes weigh by work."""
    shapes = Counter(tuple(one.shape) for one in engine.blocks[0].parameters() if one.dim() == 2)
    work, spent = 0.0, 0.0
    for (rows, columns), number in shapes.items():
        took = _seconds(rows, columns, tokens, engine, seconds)
        work += number * 2.0 * rows * columns * tokens
        spent += number * took
    return work / spent


def _seconds(rows: int, columns: int, tokens: int, engine: Engine, seconds: float) -> float:
    """The fastest of many multiplications of one shape."""
    left = torch.randn(tokens, columns, dtype=engine.dtype, device=engine.device)
    weight = torch.randn(rows, columns, dtype=engine.dtype, device=engine.device)
    best, until = float("inf"), time.perf_counter() + seconds
    with torch.inference_mode():
        torch.nn.functional.linear(left, weight)
        while best == float("inf") or time.perf_counter() < until:
            settle(engine)
            began = time.perf_counter()
            torch.nn.functional.linear(left, weight)
            settle(engine)
            best = min(best, time.perf_counter() - began)
    return best


def settle(engine: Engine) -> None:
    """Wait until the device has done what it was told."""
    if engine.device.type == "cuda":
        torch.cuda.synchronize()
