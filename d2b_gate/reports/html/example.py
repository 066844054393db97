"""One prompt with its predicted answers before and after, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.reports.escape import terminal
from d2b_gate.reports.numbers import percent, scale_of

if TYPE_CHECKING:
    from d2b_gate.core.verdict import Example

_ANSWERS_SHOWN = 6
_ANSWER = 200  # characters
_PROMPT = 1000
_ABSENT = "\u2013"


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """An answer with its share in both states; ``target`` marks the one that the rule is about."""

    text: str
    before: str
    after: str
    moved: str
    target: bool


@dataclass(frozen=True, slots=True)
class ShownExample:
    """A prompt and its answers, the likeliest after the change first."""

    prompt: str
    answers: tuple[ShownAnswer, ...]
    left_out: int


def shown_example(example: Example, target: str) -> ShownExample:
    """Pair the answers of both states by their text; the target is shown even where it is not among the likeliest."""
    before = {answer.text: answer.share for answer in example.before}
    after = {answer.text: answer.share for answer in example.after}
    texts = sorted(
        dict.fromkeys([*after, *before]), key=lambda text: (-after.get(text, 0.0), -before.get(text, 0.0), text)
    )
    shown = texts[:_ANSWERS_SHOWN] + [text for text in texts[_ANSWERS_SHOWN:] if text == target]
    answers = tuple(_answer(text, before, after, target) for text in shown)
    return ShownExample(terminal(example.prompt, _PROMPT), answers, len(texts) - len(shown))


def _answer(text: str, before: dict[str, float], after: dict[str, float], target: str) -> ShownAnswer:
    scale = scale_of("share")
    known = text in before and text in after
    moved = f"{scale.delta(after[text] - before[text])} {scale.delta_unit}" if known else _ABSENT
    return ShownAnswer(
        terminal(text, _ANSWER),
        percent(before[text]) if text in before else _ABSENT,
        percent(after[text]) if text in after else _ABSENT,
        moved,
        text == target,
    )
