"""Arithmetic of cost: FLOPs of a stage, and the time that the machine's matrix rate would need for them."""

from __future__ import annotations

from dataclasses import dataclass

FORWARD = 2
"""FLOPs per parameter and token: one multiplication and one addition."""
BACKWARD = 2
"""More of them where activations alone have gradients (LoRA, vectors): weights of the base model have none."""


@dataclass(frozen=True, slots=True)
class Work:
    """Positions (tokens and padding) that went through the blocks, and those of them with a backward pass."""

    forward: float
    backward: float

    def __add__(self, other: Work) -> Work:
        """Both."""
        return Work(self.forward + other.forward, self.backward + other.backward)

    def times(self, factor: float) -> Work:
        """As much ``factor`` times."""
        return Work(self.forward * factor, self.backward * factor)

    def flops(self, parameters: int) -> float:
        """Of the blocks' matrices alone: without embedding, head and attention scores."""
        return parameters * (FORWARD * self.forward + BACKWARD * self.backward)


def share_of_rate(parameters: int, tokens: float, seconds: float, rate: float) -> float:
    """Share of the measured matrix rate (FLOP/s) that a forward pass over ``tokens`` reached; padding is no work."""
    return FORWARD * parameters * tokens / rate / seconds


def whole_finetune(step_seconds: float, rows: int, epochs: float, batch: int) -> float:
    """Seconds of a training of ``epochs`` over ``rows``, from the mean of timed steps."""
    return step_seconds * rows * epochs / batch
