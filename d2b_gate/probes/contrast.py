"""Kind ``contrast``: how much likelier one answer is than its counterpart, in nats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.probes.form import HEADER, Form
from d2b_gate.probes.prompts import MOST_CONTINUATION, read_prompts
from d2b_gate.probes.softmax import finite_or_raise, softmax

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from d2b_gate.core.reading import LogProbs, Probe, Prompt

ALTERNATIVES = ("positive", "negative")


def prompts(table: Mapping[str, object], where: str) -> tuple[tuple[str, ...], tuple[Prompt, ...]]:
    """Read the prompts, each with its positive and its negative answer.

    Raises:
        PolicyError: every problem of the table.
    """
    form = Form(table, where)
    form.only(HEADER | {"prompt"})
    form.choice("unit", ("nats",))
    found = read_prompts(form, frozenset(ALTERNATIVES), _continuations)
    form.done()
    return ALTERNATIVES, found


def targets(probe: Probe) -> tuple[str, ...]:
    """None: a contrast has one direction, written into its file."""
    return ()


def values(probe: Probe, target: str, log_probs: Sequence[LogProbs]) -> tuple[float, ...]:
    """Log p(positive) minus log p(negative), per prompt."""
    for row in log_probs:
        finite_or_raise(row)
    return tuple(positive - negative for positive, negative in log_probs)


def coefficients(probe: Probe, target: str, log_probs: Sequence[LogProbs]) -> tuple[tuple[float, ...], ...]:
    """Plus one and minus one: the value is linear in the log-probabilities."""
    return tuple((1.0, -1.0) for _ in log_probs)


def shares(log_probs: LogProbs) -> tuple[float, ...]:
    """Softmax over the two answers."""
    return softmax(log_probs)


def _continuations(entry: Form) -> tuple[str, ...]:
    pair = tuple(entry.text(name, MOST_CONTINUATION) for name in ALTERNATIVES)
    if pair[0] == pair[1] != "":
        entry.wrong("the positive and the negative answer are the same", "negative")
    return pair
