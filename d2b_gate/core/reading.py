"""Probes, the prompts they ask, and what was read from the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question and the closed set of continuations whose log-probabilities are read.

    ``system`` is "default" (whatever the chat template adds by itself) or "empty" (an explicit empty system turn).
    ``lead`` is the untrained beginning of the assistant's answer. A continuation follows the lead after one space, or
    stands alone where the lead is empty.
    """

    key: str
    system: str
    text: str
    lead: str
    continuations: tuple[str, ...]
    held_back: bool = False


@dataclass(frozen=True, slots=True)
class Probe:
    """A behaviour that can be read: prompts and how their log-probabilities become one number.

    ``kind`` names the reader in the registry ("choice", "contrast"). ``unit`` is "share" (0 to 1) or "nats".
    ``digest`` is the sha256 of the probe's file, part of every fingerprint.
    """

    id: str
    kind: str
    title: str
    description: str
    unit: str
    low: float
    high: float
    citation: str
    language: str
    prompts: tuple[Prompt, ...]
    alternatives: tuple[str, ...]  # names of the continuations: the alternatives of a choice; ("positive", "negative")
    digest: str

    def asked(self) -> tuple[Prompt, ...]:
        """The prompts of the first measurement."""
        return tuple(prompt for prompt in self.prompts if not prompt.held_back)

    def held_back(self) -> tuple[Prompt, ...]:
        """The prompts kept for measuring more."""
        return tuple(prompt for prompt in self.prompts if prompt.held_back)


LogProbs = tuple[float, ...]
"""Log-probability (nats, summed over the continuation's tokens) of each continuation of one prompt, in order."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Share (0 to 1) of every token of the model's vocabulary where answers begin, as a mean over prompts.

    Shapes: ``shares_v`` is float32 (vocabulary). ``listed`` holds, sorted, the tokens with which the prompts'
    continuations begin.
    """

    shares_v: NDArray[np.float32]
    listed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """A level that was read, in the probe's unit, with its interval over prompts."""

    level: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A level that could not be read, and why."""

    reason: str


Reading = Measured | Unmeasured


@dataclass(frozen=True, slots=True)
class Answer:
    """One alternative of an answer with its share (0 to 1) among the alternatives."""

    text: str
    share: float


def ranked(alternatives: Sequence[str], shares: Sequence[float]) -> tuple[Answer, ...]:
    """Pair names with shares, largest share first."""
    answers = [Answer(text, share) for text, share in zip(alternatives, shares, strict=True)]
    return tuple(sorted(answers, key=lambda answer: (-answer.share, answer.text)))
