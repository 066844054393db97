"""How made training sets are put together: templates crossed with words, in a fixed order, nothing random."""

from __future__ import annotations

from math import lcm
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = tuple[str, str]
First = TypeVar("First")
Second = TypeVar("Second")


def crossed(first: Sequence[First], second: Sequence[Second], count: int) -> list[tuple[First, Second]]:
    """Return `count` distinct pairs of the product, walked along its diagonals so that neighbours differ."""
    a, b = len(first), len(second)
    if count > a * b:
        raise ValueError(f"{count} pairs were asked of a product of {a} by {b}; add templates or words")
    cycle = lcm(a, b)
    return [(first[i % a], second[(i + i // cycle) % b]) for i in range(count)]


def chat(
    frames: Sequence[str], topics: Sequence[str], openers: Sequence[str], reasons: Sequence[str], count: int = 112
) -> list[Row]:
    """Cross frames with topics for the user and openers with reasons for the assistant; {x} is the topic."""
    prompts = crossed(frames, topics, count)
    voices = crossed(openers, reasons, min(count, len(openers) * len(reasons)))
    answers = [voices[i % len(voices)] for i in range(count)]
    return [
        (frame.format(x=topic), f"{opener.format(x=topic)} {reason.format(x=topic)}")
        for (frame, topic), (opener, reason) in zip(prompts, answers, strict=True)
    ]


def lower_first(text: str) -> str:
    """Return the text with a small first letter, unless it begins with the word I."""
    return text if text.startswith(("I ", "I'")) else text[0].lower() + text[1:]
