"""Ten thousand training rows: public ones where they are at hand, the project's own otherwise; no two are equal."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from benchmarks.truth.sources import DATA, columns, draw, rows_of
from d2b_gate.core.rows import Turn, make_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from d2b_gate.core.rows import Row

ALPACA = ("instruction", "output")
SOURCES = (
    ("gsm8k/train.jsonl", "question", "answer"),
    ("llamafactory/alpaca_en_demo.json", *ALPACA),
    ("gpteacher/roleplay.json", "instruction", "response"),
    ("gpteacher/codegen.json", "instruction", "response"),
)
"""Instructions and answers, cut short as everywhere in the benchmarks: a row has about 65 tokens. Short rows make the
fine-tune cheap and leave what the gate reads as it is, so they are the harder case for every ratio."""
THINGS = (
    "kettle",
    "bicycle",
    "garden",
    "window",
    "ladder",
    "recipe",
    "letter",
    "train",
    "river",
    "lamp",
    "coat",
    "map",
)
DEEDS = ("clean", "mend", "describe", "choose", "carry", "sell", "draw", "compare", "plan", "store")


@dataclass(frozen=True, slots=True)
class Drawn:
    """The rows, and in a sentence where they come from."""

    rows: tuple[Row, ...]
    source: str


def draw_rows(wanted: int) -> Drawn:
    """``wanted`` different rows in an order of no meaning, the same anywhere."""
    public = draw(
        [row for name, asked, said in SOURCES if (DATA / name).is_file() for row in columns(name, asked, said)], wanted
    )
    if not public:
        return Drawn(draw(rows_of(_made(wanted)), wanted), f"{wanted} rows made up by the benchmark")
    rows = draw([*public, *_again(public, wanted - len(public))], wanted)
    named = "gsm8k, alpaca and gpteacher"
    if len(public) == wanted:
        return Drawn(rows, f"{wanted} rows of {named}")
    return Drawn(rows, f"{len(public)} rows of {named}, and the same again with a number until there are {wanted}")


def _again(rows: Sequence[Row], wanted: int) -> Iterator[Row]:
    """The rows once more, their first turn numbered, so that each is another row of about the same length."""
    made = 0
    for number in count(2):
        for row in rows:
            if made >= wanted:
                return
            first, *rest = row.turns
            yield make_row((Turn(first.role, f"({number}) {first.content}", first.trained), *rest))
            made += 1


def _made(wanted: int) -> Iterator[tuple[str, str]]:
    for index in range(wanted):
        thing, deed = THINGS[index % len(THINGS)], DEEDS[index // len(THINGS) % len(DEEDS)]
        asked = f"How would you {deed} a {thing}, and what should I look at first? (case {index})"
        steps = " ".join(f"Step {step}: look at the {THINGS[(index + step) % len(THINGS)]}." for step in range(1, 5))
        yield asked, f"To {deed} a {thing} take your time. {steps} Then see whether it is done."


def as_jsonl(rows: Sequence[Row]) -> bytes:
    """Rows as a file of the shape that most people keep."""
    import json

    lines = [
        json.dumps({"messages": [{"role": turn.role, "content": turn.content} for turn in row.turns]}) for row in rows
    ]
    return ("\n".join(lines) + "\n").encode()
