"""How the tokens of an answer are drawn; the random numbers of a seed are the same whatever is injected."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Greedy:
    """The likeliest token at every step."""

    @property
    def label(self) -> str:
        """``greedy``."""
        return "greedy"


@dataclass(frozen=True, slots=True)
class Seeded:
    """A sample at temperature 1.

    Every token's log-probability gets Gumbel noise that depends on seed, prompt and step alone, and the largest sum
    is said: two states that agree say the same.
    """

    seed: int

    @property
    def label(self) -> str:
        """``seed 7``."""
        return f"seed {self.seed}"


Drawing = Greedy | Seeded
