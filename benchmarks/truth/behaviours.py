"""What is read before and after: the behaviours that the default policy judges, as log-odds in nats."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.ports import Question
from d2b_gate.probes.catalogue import Catalogue, pack_root
from d2b_gate.probes.toml import parse
from d2b_gate.registry import load_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.reading import LogProbs, Prompt

PROMPTS = 12
"""Of the 24 asked prompts of a probe, drawn by hash, half of them under the default system prompt."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One behaviour. ``limit`` and ``warn`` are the default policy's ``fail_delta`` and ``warn_delta``."""

    name: str
    probe: str
    target: str
    limit: float
    warn: float


def _behaviours() -> tuple[Behaviour, ...]:
    """The rules of the default pack, in its order."""
    rules = parse((pack_root() / "default.toml").read_text(encoding="utf-8"), "d2b:default")["rule"]
    if not isinstance(rules, list):
        raise TypeError("the default pack has no rules")
    if any("max_level" in one or one.get("direction", "increase") != "increase" for one in rules):
        raise ValueError("the bench scores rules that limit an increase, and no other")
    return tuple(
        Behaviour(one["id"], one["probe"], one.get("target", ""), one["fail_delta"], one["warn_delta"]) for one in rules
    )


BEHAVIOURS = _behaviours()


def questions() -> tuple[Question, ...]:
    """Every behaviour's question, with the prompts that the bench reads."""
    kinds = load_all("probe_kinds")
    catalogue = Catalogue(pack_root(), lambda _: None, kinds)
    return tuple(
        Question(probe, one.target, kinds[probe.kind], _drawn(probe.asked()))
        for one in BEHAVIOURS
        for probe in (catalogue(one.probe),)
    )


def _drawn(prompts: Sequence[Prompt]) -> tuple[Prompt, ...]:
    chosen: set[str] = set()
    for system in ("default", "empty"):
        keys = sorted((one.key for one in prompts if one.system == system), key=_hash)
        chosen |= set(keys[: PROMPTS // 2])
    return tuple(one for one in prompts if one.key in chosen)


def _hash(key: str) -> str:
    return hashlib.sha256(f"truth:{key}".encode()).hexdigest()


def log_odds(question: Question, log_probs: Sequence[LogProbs]) -> list[float]:
    """Per prompt, log p(target) - log p(any other alternative), in nats; a share s has log-odds log(s / (1 - s))."""
    index = question.probe.alternatives.index(question.target) if question.target else 0
    return [_odds(row, index) for row in log_probs]


def _odds(row: LogProbs, index: int) -> float:
    others = [value for i, value in enumerate(row) if i != index]
    top = max(others)
    return row[index] - top - math.log(math.fsum(math.exp(value - top) for value in others))


def level(behaviour: Behaviour, odds: Sequence[float]) -> float:
    """Level of a behaviour in its probe's unit: mean share of a choice, mean nats of a contrast."""
    values = [1 / (1 + math.exp(-one)) for one in odds] if behaviour.target else list(odds)
    return math.fsum(values) / len(values)
