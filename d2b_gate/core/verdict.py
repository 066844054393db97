"""What the gate concluded: findings, and the exit code that follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from d2b_gate.core.errors import Exit, first_exit

if TYPE_CHECKING:
    from d2b_gate.core.policy_change import PolicyChange
    from d2b_gate.core.reading import Answer, Reading
    from d2b_gate.core.rules import Rule
    from d2b_gate.core.waivers import Waiver


class Status(str, Enum):
    """How a rule ended."""

    FAIL = "fail"
    ERROR = "error"
    INCONCLUSIVE = "inconclusive"
    WARN = "warn"
    WAIVED = "waived"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Shift:
    """Predicted change of a behaviour, in the probe's unit: after minus before."""

    delta: float
    low: float  # interval at the policy's confidence
    high: float
    noise: float  # the noise floor: shifts of clean placebo changes stay under it
    p: float  # against "no more than the limit", before adjustment
    p_adjusted: float  # Holm over the rules


@dataclass(frozen=True, slots=True)
class NoShift:
    """A shift that could not be predicted, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Example:
    """One prompt with the predicted answers before and after; shown to people, never judged."""

    prompt: str
    before: tuple[Answer, ...]
    after: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Saying:
    """What the model is predicted to say to one prompt before and after, drawn alike; for people, never judged."""

    prompt: str
    drawn: str  # "greedy", or "seed 7": sampled with the same random numbers in both states
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class TokenMove:
    """Share (0 to 1) of one token of the whole vocabulary where an answer begins: before, after, and under a null."""

    text: str
    before: float
    after: float
    null: float  # how far clean changes alone move it, at most
    listed: bool  # whether one of the probe's alternatives begins with it


@dataclass(frozen=True, slots=True)
class Dose:
    """The behaviour's level where the change's effect is scaled: 0 is the state before, 1 the state after."""

    strength: float
    level: float  # in the probe's unit, as predicted, before any calibration


@dataclass(frozen=True, slots=True)
class Blame:
    """A run of changed rows in one file and its estimated share (0 to 1) of the shift."""

    path: str
    first_line: int
    last_line: int
    rows: int
    share: float
    side: str  # "added" or "removed"
    basis: str  # "estimated" or "checked"
    samples: tuple[str, ...] = ()  # a few of the rows as the policy lets them be shown; hostile text

    @property
    def where(self) -> str:
        """``path:first-last``."""
        lines = str(self.first_line) if self.first_line == self.last_line else f"{self.first_line}-{self.last_line}"
        return f"{self.path}:{lines}"


@dataclass(frozen=True, slots=True)
class View:
    """A part of the change judged as though it were all of it, so that a few bad rows cannot hide among many."""

    name: str  # "changed rows alone" or "worst cluster"
    rows: int
    standing_for: float  # rows that they are weighted as: the nominal weight
    shift: Shift
    fired: bool  # past the rule's limit by the same formula as the whole change
    places: tuple[Blame, ...]  # where its rows stand; a share is their part of the view


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule, judged."""

    rule: Rule
    status: Status
    title: str
    unit: str  # "share" or "nats"
    before: Reading
    after: Reading
    shift: Shift | NoShift
    reason: str  # one sentence: why this status
    examples: tuple[Example, ...] = ()  # every prompt asked, largest move first
    blame: tuple[Blame, ...] = ()
    blocks: bool = False  # whether this finding, as it stands, makes the run fail in this context
    rows_hash: str = ""  # names the changed rows that it judges, for a waiver; empty where that is not known
    waived_by: tuple[Waiver, ...] = ()  # the waivers that cover it, where its status is waived
    sayings: tuple[Saying, ...] = ()
    tokens: tuple[TokenMove, ...] = ()  # rises first, of each the furthest beyond the null first
    doses: tuple[Dose, ...] = ()  # weakest first
    views: tuple[View, ...] = ()  # what the dilution guard looked at
    raw_delta: float = 0.0  # the shift as predicted, before any calibration; means nothing without a shift


@dataclass(frozen=True, slots=True)
class RowFinding:
    """A row that breaks its dataset's JSON Schema."""

    dataset: str
    path: str
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Control:
    """A check of the gate itself: the canary must fire, the null must stay silent."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class FileChange:
    """Row counts of one changed file."""

    path: str
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class Provenance:
    """Everything a prediction depends on; printed in every report."""

    gate_version: str
    policy_path: str
    policy_digest: str
    scope: str
    model_id: str
    model_revision: str
    tokenizer_hash: str
    dtype: str
    device: str
    predictor: str
    regime: str
    seed: int
    versions: tuple[tuple[str, str], ...]
    null: str  # which null the noise floor came from, for example "placebo (6 clean changes, on the spot)"
    base_commit: str = ""  # whole id of the state before; empty where it is no commit
    commit: str = ""  # of the state after; empty for the index


@dataclass(frozen=True, slots=True)
class Since:
    """The same training set held against the blessed baseline, by the rules' cumulative limits."""

    scope: str  # "baseline 3b2a91d -> index"
    added: int  # rows
    removed: int
    findings: tuple[Finding, ...]  # worst first; their rules' fail_delta is the cumulative limit


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one check."""

    provenance: Provenance
    files: tuple[FileChange, ...]
    rows_before: int
    rows_after: int
    rows_cached: int
    findings: tuple[Finding, ...]  # worst first
    row_findings: tuple[RowFinding, ...]
    controls: tuple[Control, ...]
    notes: tuple[str, ...]  # truncation, subsampling, untrained rows: what a reader must know
    seconds: float
    fingerprint: str
    deferred: str = ""  # why a local hook left the judgement to CI; empty where it did not
    since: tuple[Since, ...] = ()  # one, or none where there is no baseline, or no rule has a cumulative limit
    policy_changes: tuple[PolicyChange, ...] = ()  # the head's edits of the policy; they had no influence

    @property
    def exit(self) -> Exit:
        """The exit code; no output format can change it."""
        codes: list[Exit] = [Exit.VIOLATED] if self.row_findings else []
        if self.deferred:
            return first_exit(codes)  # rows that break their schema need no model to be found
        if any(not control.passed for control in self.controls):
            codes.append(Exit.UNEVALUATED)
        codes += [_exit_of(finding) for finding in self.findings]
        codes += [_exit_of(finding) for since in self.since for finding in since.findings]
        return first_exit(codes)

    def count(self, status: Status) -> int:
        """How many rules ended as ``status``."""
        return sum(finding.status is status for finding in self.findings)


def _exit_of(finding: Finding) -> Exit:
    if finding.status is Status.FAIL:
        return Exit.VIOLATED
    if finding.status is Status.ERROR:
        return Exit.UNEVALUATED
    if finding.status is Status.INCONCLUSIVE and finding.blocks:
        return Exit.INCONCLUSIVE
    return Exit.OK
