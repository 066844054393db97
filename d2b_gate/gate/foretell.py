"""What rows are predicted to do: the prediction that `validate` and `calibrate` hold to truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.calibration import NEAR
from d2b_gate.core.mixture import Mixture, subsample
from d2b_gate.core.noise import Move
from d2b_gate.core.rows import RowRef
from d2b_gate.gate.measure import Replicate, ask_both, question_of, untouched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.calibration import Extent
    from d2b_gate.core.ports import Question, Replies
    from d2b_gate.core.rows import Row
    from d2b_gate.core.rules import MethodSpec, Policy
    from d2b_gate.gate.ports import Ports


def questions_of(policy: Policy, ports: Ports) -> tuple[Question, ...]:
    """Every rule's question, those of two rules alike once.

    Raises:
        ProbeUnreadableError: this model cannot answer one of the probes.
    """
    questions: dict[tuple[str, str], Question] = {}
    for rule in policy.rules:
        question = question_of(rule, ports)
        ports.backend.read(question.probe.prompts, untouched(ports))
        questions[question.probe.id, rule.target] = question
    return tuple(questions.values())


@dataclass(frozen=True, slots=True)
class Foretold:
    """What one question's level is, in the probe's unit, and by how much it is predicted to shift."""

    unit: str
    before: float
    shift: float
    extent: Extent

    @property
    def scaled(self) -> float:
        """The shift on the scale that lines are fitted on."""
        return self.move.scaled

    @property
    def move(self) -> Move:
        """The shift as calibrations take it."""
        return Move.exact(self.before, self.shift, self.unit, self.extent)


def foretell(
    rows: Sequence[Row], questions: Sequence[Question], method: MethodSpec, ports: Ports, kept: Sequence[Row] = ()
) -> tuple[Foretold, ...]:
    """Predicted shift per question when ``rows`` are added to ``kept`` (none: a first commit).

    One replicate, as `check` takes under a calibration: a line's errors are those of such a prediction.
    """
    asking = ask_both(_replicate(rows, kept, method), questions, method, ports)
    return tuple(
        foretold(question, before, after, asking.extent)
        for question, before, after in zip(questions, asking.before, asking.after, strict=True)
    )


def foretold(question: Question, before: Replies, after: Replies, extent: Extent = NEAR) -> Foretold:
    """The shift between two states."""
    return Foretold(question.probe.unit, before.level, after.level - before.level, extent)


def _replicate(rows: Sequence[Row], kept: Sequence[Row], method: MethodSpec) -> Replicate:
    common = _drawn(kept, method.sample, method.seed)
    share = len(rows) / (len(rows) + len(kept))
    after = Mixture(common, _drawn(rows, method.max_changed, method.seed), share, float(len(rows)))
    return Replicate(method.seed, Mixture(common, (), 0.0, 0.0), after)


def _drawn(rows: Sequence[Row], count: int, seed: int) -> tuple[Row, ...]:
    by_key = {row.key: row for row in rows}
    refs = [RowRef(row.key, row.path, row.line) for row in rows]
    return tuple(by_key[ref.key] for ref in subsample(refs, {}, count, seed))
