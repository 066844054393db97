"""A validation as text or JSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from d2b_gate.core.printable import printable
from d2b_gate.reports.numbers import scale_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.gate.validate import Compared, Validation

_HEAD = ("behaviour", "before", "predicted", "expected", "interval", "true", "")


def as_text(validation: Validation, confidence: float) -> str:
    """A table, one behaviour per line, and what it rests on."""
    lines = [_HEAD, *(_cells(one, confidence) for one in validation.compared)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    trainings = len(validation.compared[0].true) if validation.compared else 0
    rest = f"{validation.rows} rows, {validation.steps} optimiser steps, trained {_times(trainings)}"
    return "\n".join([*table, "", rest, *_advice(validation)]) + "\n"


def _times(count: int) -> str:
    return "once: the spread of trainings is not known" if count == 1 else f"{count} times"


def _advice(validation: Validation) -> list[str]:
    if any(one.line is None for one in validation.compared):
        return ["no interval: no calibrated line of this model, method and regime; expected is as predicted"]
    return []


def _cells(one: Compared, confidence: float) -> tuple[str, ...]:
    scale = scale_of(one.question.probe.unit)
    name = " ".join(part for part in (one.question.probe.id, one.question.target) if part)
    interval = verdict = ""
    if one.line is not None:
        expected = one.announced(one.line, confidence)
        interval = f"[{scale.delta(expected.low)}, {scale.delta(expected.high)}]"
        verdict = "inside" if expected.low <= one.mean <= expected.high else "outside"
    spread = f" +- {scale.level(_spread(one.true))}" if len(one.true) > 1 else ""
    before = f"{scale.level(one.predicted.before)} {scale.level_unit}"
    predicted, wanted, true = (scale.delta(value) for value in (one.predicted.shift, one.expected, one.mean))
    predicted, wanted, true = (f"{cell} {scale.delta_unit}" for cell in (predicted, wanted, f"{true}{spread}"))
    return (printable(name), before, predicted, wanted, interval, true, verdict)


def _spread(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / max(1, len(values) - 1))


def as_json(validation: Validation, source: str) -> dict[str, object]:
    """The same for programs."""
    return {
        "schema": "d2b-gate.validation/1",
        "source": source,
        "rows": validation.rows,
        "steps": validation.steps,
        "behaviours": [
            {
                "probe": one.question.probe.id,
                "target": one.question.target,
                "unit": one.question.probe.unit,
                "before": one.predicted.before,
                "predicted": one.predicted.shift,
                "expected": one.expected,
                "calibrated": one.line is not None,
                "true": list(one.true),
            }
            for one in validation.compared
        ],
    }
