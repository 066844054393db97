"""Kind ``choice``: the share of one alternative among a closed set of answers."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from d2b_gate.probes.form import HEADER, Form
from d2b_gate.probes.prompts import MOST_CONTINUATION, read_prompts
from d2b_gate.probes.softmax import softmax

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from d2b_gate.core.reading import LogProbs, Probe, Prompt

MOST_ALTERNATIVES = 64  # every prompt is read once per alternative


def prompts(table: Mapping[str, object], where: str) -> tuple[tuple[str, ...], tuple[Prompt, ...]]:
    """Read the alternatives and the prompts, each of which may be answered by any alternative.

    Raises:
        PolicyError: every problem of the table.
    """
    form = Form(table, where)
    form.only(HEADER | {"alternatives", "prompt"})
    form.choice("unit", ("share",))
    low, high = form.pair("range")
    if low < 0 or high > 1:
        form.wrong("the range of a share lies within 0 and 1", "range")
    alternatives = _alternatives(form)
    found = read_prompts(form, frozenset(), lambda entry: alternatives)
    form.done()
    return alternatives, found


def targets(probe: Probe) -> tuple[str, ...]:
    """Every alternative."""
    return probe.alternatives


def values(probe: Probe, target: str, log_probs: Sequence[LogProbs]) -> tuple[float, ...]:
    """Share of the target among the alternatives, per prompt."""
    index = probe.alternatives.index(target)
    return tuple(softmax(row)[index] for row in log_probs)


def coefficients(probe: Probe, target: str, log_probs: Sequence[LogProbs]) -> tuple[tuple[float, ...], ...]:
    """Derivative of the share s_t with respect to log p_j: s_t (1[j = t] - s_j)."""
    index = probe.alternatives.index(target)
    return tuple(_slope(softmax(row), index) for row in log_probs)


def shares(log_probs: LogProbs) -> tuple[float, ...]:
    """Softmax over the alternatives of one prompt."""
    return softmax(log_probs)


def _alternatives(form: Form) -> tuple[str, ...]:
    """Read the alternatives; one that another begins with would be counted twice, so it is refused."""
    names = form.texts("alternatives", MOST_CONTINUATION)
    if not 2 <= len(names) <= MOST_ALTERNATIVES:
        form.wrong(f"'alternatives' needs 2 to {MOST_ALTERNATIVES} entries", "alternatives")
    ordered = sorted(names)
    for first, second in pairwise(ordered):
        if second.startswith(first):
            form.wrong(f"alternatives {first!r} and {second!r} are not distinct answers", "alternatives")
    return names


def _slope(row: tuple[float, ...], index: int) -> tuple[float, ...]:
    return tuple(row[index] * (float(position == index) - share) for position, share in enumerate(row))
