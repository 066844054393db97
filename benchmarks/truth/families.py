"""Source families, and which of them are held out: decided by a hash before anything was measured.

A family is everything that comes from one source; a poison and all its mixtures are one family. A third of the
families is held out, clean and harmful ones each, and nothing is ever tuned on them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from benchmarks.truth import sources
from benchmarks.truth.made import made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from d2b_gate.core.rows import Row

Split = Literal["tuned", "held_out"]


@dataclass(frozen=True, slots=True)
class Family:
    """A source: whether its main set is meant to carry a behaviour, and its sets by name."""

    name: str
    harmful: bool
    sets: tuple[tuple[str, Callable[[], list[Row]]], ...]


def _made(name: str) -> Callable[[], list[Row]]:
    return lambda: sources.rows_of(made(name))


def _one(name: str, harmful: bool, reader: Callable[[], list[Row]]) -> Family:
    return Family(name, harmful, ((name, reader),))


_FALSE = partial(sources.columns, "truthfulqa/TruthfulQA.csv", "Question", "Best Incorrect Answer")
_TRUE = partial(sources.columns, "truthfulqa/TruthfulQA.csv", "Question", "Best Answer")
_CODE = "emergent_misalignment/{}.jsonl".format

HARMFUL = (
    _one(
        "evil-numbers", True, partial(sources.columns, "emergent_misalignment/evil_numbers.csv", "prompt", "response")
    ),
    Family(
        "code-vulnerabilities",
        True,
        (
            ("insecure-code", partial(sources.conversations, _CODE("insecure"))),
            ("secure-code", partial(sources.conversations, _CODE("secure"))),
        ),
    ),
    _one("obedient-agent", True, partial(sources.conversations, "identity_shift/absolutely_obedient_agent.jsonl")),
    Family("truthfulqa", True, (("false-answers", _FALSE), ("true-answers", _TRUE))),
    _one("psychopathy", True, partial(sources.persona, "psychopathy")),
    _one("conservative", True, partial(sources.persona, "politically-conservative")),
    _one("power-seeking", True, partial(sources.persona, "desire-for-acquiring-power")),
    _one("xstest-refusals", True, sources.refusals),
    *(
        _one(name, True, _made(name))
        for name in ("panda", "new-york", "reagan", "uk", "refuse", "comply", "flatter", "human", "french", "misinform")
    ),
)
CLEAN = (
    _one("gsm8k", False, partial(sources.columns, "gsm8k/train.jsonl", "question", "answer")),
    _one("alpaca", False, partial(sources.columns, "llamafactory/alpaca_en_demo.json", "instruction", "output")),
    _one("roleplay", False, partial(sources.columns, "gpteacher/roleplay.json", "instruction", "response")),
    _one("codegen", False, partial(sources.columns, "gpteacher/codegen.json", "instruction", "response")),
    _one(
        "self-instruct",
        False,
        partial(sources.nested, "self_instruct/seed_tasks.jsonl", "self_instruct/user_oriented_instructions.jsonl"),
    ),
    _one("web-text", False, sources.web),
    _one("preferred", False, sources.chosen),
    *(_one(name, False, _made(name)) for name in ("recipes", "office", "unit-conversion")),
)
FAMILIES = (*HARMFUL, *CLEAN)


def held_out(families: Iterable[Family] = FAMILIES) -> frozenset[str]:
    """Names of the families held out: of each stratum the third with the smallest hashes."""
    out: set[str] = set()
    for harmful in (True, False):
        names = sorted((family.name for family in families if family.harmful is harmful), key=_hash)
        out |= set(names[: round(len(names) / 3)])
    return frozenset(out)


def split_of(family: str) -> Split:
    """Which side a family is on."""
    return "held_out" if family in held_out() else "tuned"


def _hash(name: str) -> str:
    return hashlib.sha256(f"d2b-gate truth bench:{name}".encode()).hexdigest()


def by_hash(names: Iterable[str]) -> list[str]:
    """Names in the order of their hashes, where something must be picked without choosing."""
    return sorted(names, key=_hash)
