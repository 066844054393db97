"""Where a model's weights go: one device, or spread over several."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Literal

from d2b_gate.core.errors import EvaluationError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Placement = Literal["one", "spread"]

_SHARE = 0.8  # of free memory for weights; the rest is for activations and gradients. Our choice
_MAX_HEADER = 100_000_000  # bytes; the limit of the safetensors format


def place(weight_bytes: int, free_bytes: Sequence[int]) -> Placement:
    """Prefer one device: several pass every hidden state between them. Raises UnavailableError if all are too small."""
    if weight_bytes <= _SHARE * free_bytes[0]:
        return "one"
    if len(free_bytes) > 1 and weight_bytes <= _SHARE * sum(free_bytes):
        return "spread"
    raise UnavailableError(
        f"the weights need {weight_bytes / 1e9:.1f} GB, and {sum(free_bytes) / 1e9:.1f} GB of GPU memory are free",
        remedy='use dtype "bfloat16", device "cpu", a smaller model or a larger GPU',
    )


def weight_bytes(path: Path, bytes_each: int) -> int:
    """Count the bytes of all weights at ``bytes_each`` per number, from the headers of the safetensors files."""
    return bytes_each * sum(_numbers(file) for file in path.glob("*.safetensors"))


def _numbers(file: Path) -> int:
    try:
        with file.open("rb") as stream:
            size = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(min(size, _MAX_HEADER)))
        return sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EvaluationError(f"is no safetensors file ({error})", where=str(file)) from error
