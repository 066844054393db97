"""What people found out about findings: one line per label, and how often each rule was right."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.appended import last_words
from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.finding_id import SINCE
from d2b_gate.core.untrusted import PREFIX, Untrusted
from d2b_gate.core.wilson import wilson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCHEMA = "d2b-gate.audit/1"
AUDITED: Mapping[str, str] = {name: name for name in ("fail", "waived", "warn", "inconclusive")}
"""Statuses with which a rule spoke up; what was ok, or in error, claimed nothing that could be true or false."""
CONFIDENCE = 0.95
_TEXTS = "finding rule status probe target model by note"


@dataclass(frozen=True, slots=True)
class Label:
    """What somebody says of one finding. ``label``: whether the foretold shift was real."""

    finding: str  # see `core.finding_id`
    rule: str
    status: str  # how the finding ended
    probe: str
    target: str
    model: str
    by: str
    note: str
    label: bool


@dataclass(frozen=True, slots=True)
class Precision:
    """How often a rule was right when it ended in a status, with the 95 % Wilson interval."""

    rule: str
    status: str
    labelled: int
    true: int

    @property
    def share(self) -> float:
        """Share of true ones; there is at least one label."""
        return self.true / self.labelled

    @property
    def interval(self) -> tuple[float, float]:
        """Low and high end."""
        return wilson(self.true, self.labelled, CONFIDENCE)


def label_line(label: Label) -> str:
    """A label as one line of JSON, keys sorted."""
    return json.dumps({"schema": SCHEMA, **asdict(label)}, sort_keys=True) + "\n"


def read_labels(text: str, path: str) -> tuple[Label, ...]:
    """Read a file of labels; of several on one finding the last counts, at the place of the first.

    Raises:
        EvaluationError: a line that is no label, with its place. A last line without its end is what an interrupted
            write leaves behind, and is passed over.
    """
    return last_words(text, path, _label, lambda one: one.finding)


def _label(line: str, where: str) -> Label:
    try:
        node = Untrusted(json.loads(line), "").fields(f"schema {_TEXTS} label")
        node["schema"].one_of({SCHEMA: SCHEMA})
        node["status"].one_of(AUDITED)
        texts = {name: node[name].text() for name in _TEXTS.split()}
        return Label(**texts, label=node["label"].truth())
    except (ValueError, EvaluationError, RecursionError) as error:
        what = getattr(error, "what", "it is not JSON").removeprefix(PREFIX)
        raise EvaluationError(f"is not a label: {what}", where=where, remedy="correct or remove the line") from error


def precision(labels: Sequence[Label]) -> tuple[Precision, ...]:
    """Per rule and status, rules by name and statuses as in `AUDITED`; what was waived had failed.

    Findings since the baseline are counted apart, under ``rule+since``: they are held against another limit.
    """
    groups: dict[tuple[str, str], list[bool]] = {}
    for one in labels:
        name = one.rule + SINCE if one.finding.startswith(f"{one.rule}{SINCE}@") else one.rule
        status = "fail" if one.status == "waived" else one.status
        groups.setdefault((name, status), []).append(one.label)
    order = list(AUDITED)
    keys = sorted(groups, key=lambda key: (key[0], order.index(key[1])))
    return tuple(Precision(*key, labelled=len(groups[key]), true=sum(groups[key])) for key in keys)
