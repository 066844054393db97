"""Calibrations as files: what they hold for, their lines, and where those come from. Read as untrusted input."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.calibration import Line
from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.fingerprint import fingerprint
from d2b_gate.core.untrusted import PREFIX, Untrusted, refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.ports import ModelCard, Question
    from d2b_gate.core.rules import MethodSpec

SCHEMA = "d2b-gate.calibration/1"
_NUMBERS = "slope slope_error noise relative widening length"
_COUNTS = "sources trainings"
LARGEST = 1_000_000
"""Above it a number of a line is no measurement, and figures made of it lose their meaning."""


@dataclass(frozen=True, slots=True)
class Unfitted:
    """No line: too few sources were really trained on, or predictions do not surely go the way of what came."""

    sources: int = 0


@dataclass(frozen=True, slots=True)
class CalibratedLine:
    """What is known of one question: the predicted shifts of clean changes, and the line where trainings gave one.

    Both are on the scale of `core.scale`.
    """

    probe: str
    probe_digest: str
    target: str
    unit: str
    null: tuple[float, ...]
    line: Line | Unfitted


@dataclass(frozen=True, slots=True)
class Calibration:
    """Lines of one model, template, dtype, method and regime."""

    key: str  # see `calibration_key`
    model: str
    basis: str  # one clause for reports: "34 real fine-tunes of 20 sources"
    lines: tuple[CalibratedLine, ...]

    def line(self, question: Question) -> CalibratedLine | None:
        """What is known of a question; None where the probe changed or was never calibrated."""
        wanted = (question.probe.digest, question.target)
        return next((one for one in self.lines if (one.probe_digest, one.target) == wanted), None)


def calibration_key(card: ModelCard, method: MethodSpec) -> str:
    """Name of what a calibration holds for: model revision, template, dtype, predictor with its strength, and regime.

    Subsample sizes, seeds and library versions are no part of it.
    """
    strength = (method.alpha, method.steps, method.step_size, method.adapter_rate, method.growth, method.batch)
    model = (card.revision, card.tokenizer_hash, card.dtype)
    return fingerprint("calibration", (model, method.predictor, method.reading, strength, method.regime))


def matching(calibrations: Sequence[Calibration], card: ModelCard, method: MethodSpec) -> tuple[Calibration, ...]:
    """The calibrations that hold for this model and method, in the order given."""
    key = calibration_key(card, method)
    return tuple(one for one in calibrations if one.key == key)


def fitted_line(calibrations: Sequence[Calibration], question: Question) -> tuple[Line, str] | None:
    """The first line of a question that trainings gave, and what it rests on.

    A null without a line is no substitute for placebos of the change's own dose on its own base rows.
    """
    known = ((found.line, one.basis) for one in calibrations if (found := one.line(question)) is not None)
    return next(((line, basis) for line, basis in known if isinstance(line, Line)), None)


def calibration_text(calibration: Calibration) -> str:
    """A calibration as JSON, one line per question, so that a review sees what changed."""
    lines = ",\n".join(f"  {json.dumps(_flat(one), sort_keys=True)}" for one in calibration.lines)
    head = {"schema": SCHEMA, "key": calibration.key, "model": calibration.model, "basis": calibration.basis}
    opening = "".join(f" {json.dumps(name)}: {json.dumps(value)},\n" for name, value in head.items())
    return f'{{\n{opening} "lines": [\n{lines}\n ]\n}}\n'


def _flat(one: CalibratedLine) -> dict[str, object]:
    whole = asdict(one)
    line: dict[str, object] = whole.pop("line")
    return {**whole, "null": [round(shift, 6) for shift in one.null], **line}


def read_calibration(text: str, path: str) -> Calibration:
    """Read a calibration.

    Raises:
        EvaluationError: not a calibration, or one that this version cannot read.
    """
    try:
        return _calibration(Untrusted(json.loads(text), ""))
    except (ValueError, EvaluationError, RecursionError) as error:
        what = getattr(error, "what", "it is not JSON").removeprefix(PREFIX)
        raise EvaluationError(
            f"is not a calibration that can be used: {what}", where=path, remedy="write it anew with d2b-gate calibrate"
        ) from error


def _calibration(root: Untrusted) -> Calibration:
    table = root.fields("schema key model basis lines")
    table["schema"].one_of({SCHEMA: SCHEMA})
    lines = tuple(_line(entry) for entry in table["lines"].items())
    return Calibration(table["key"].text(), table["model"].text(), table["basis"].text(), lines)


def _line(entry: Untrusted) -> CalibratedLine:
    texts = "probe probe_digest target unit"
    found = entry.fields(f"{texts} null", f"{_NUMBERS} {_COUNTS}")
    probe, digest, target, unit = (found[name].text() for name in texts.split())
    null = tuple(item.number() for item in found["null"].items())
    return CalibratedLine(probe, digest, target, unit, null, _fitted(entry) if "slope" in found else _unfitted(entry))


def _unfitted(entry: Untrusted) -> Unfitted:
    found = entry.fields("probe probe_digest target unit null", "sources")
    return Unfitted(found["sources"].count() if "sources" in found else 0)


def _fitted(entry: Untrusted) -> Line:
    found = entry.fields(f"probe probe_digest target unit null {_NUMBERS} {_COUNTS}")
    numbers = {name: found[name].number() for name in _NUMBERS.split()}
    positive = min(numbers[name] for name in ("slope", "noise", "widening", "length"))
    if positive <= 0 or min(numbers["slope_error"], numbers["relative"]) < 0:
        raise refusal("a slope, noise, widening and length are above zero, and no error is negative", entry.at)
    sources, trainings = (found[name].count() for name in _COUNTS.split())
    if max(*numbers.values(), sources, trainings) > LARGEST:
        raise refusal(f"no number of a line is above {LARGEST:,}", entry.at)
    return Line(**numbers, sources=sources, trainings=trainings)
