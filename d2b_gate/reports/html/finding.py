"""One finding as the texts that the page lays out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.reading import Measured
from d2b_gate.core.verdict import NoShift, Status
from d2b_gate.reports.describe import NAME, PATH, SENTENCE, limits_of, name_of, shift_in_brief
from d2b_gate.reports.escape import terminal
from d2b_gate.reports.html.charts import PAST_DRAWN
from d2b_gate.reports.html.example import shown_example
from d2b_gate.reports.html.explained import explained, shown_run
from d2b_gate.reports.layout import word
from d2b_gate.reports.numbers import probability, scale_of, signed_limit
from d2b_gate.reports.waiving import waivers_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markupsafe import Markup

    from d2b_gate.core.history import PastShift
    from d2b_gate.core.reading import Reading
    from d2b_gate.core.verdict import Finding
    from d2b_gate.reports.html.example import ShownExample
    from d2b_gate.reports.html.explained import Explained, Most, ShownRun
    from d2b_gate.reports.html.named import Named

SYMBOLS = {
    Status.FAIL: "\u2715",
    Status.ERROR: "\u2205",
    Status.INCONCLUSIVE: "?",
    Status.WARN: "!",
    Status.WAIVED: "\u25c7",
    Status.OK: "\u2713",
}


@dataclass(frozen=True, slots=True)
class State:
    """A line of the diff: before, after, or the shift between them; ``absent`` says why there is no number."""

    mark: str
    word: str
    value: str
    interval: str
    absent: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot and what stands below it."""

    kind: str
    picture: Markup
    caption: str


@dataclass(frozen=True, slots=True)
class Then:
    """A row of the table of earlier results."""

    when: str
    scope: str
    result: str
    status: Status
    shift: str
    interval: str


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding, ready to be laid out; texts are not escaped for HTML yet."""

    anchor: str
    status: Status
    word: str
    symbol: str
    name: str
    title: str
    brief: str
    reason: str
    states: tuple[State, ...]
    facts: tuple[tuple[str, str], ...]
    runs: tuple[ShownRun, ...]
    more_runs: str
    examples: tuple[ShownExample, ...]
    more_examples: str
    waivers: tuple[str, ...]
    about: tuple[tuple[str, str], ...]
    past: tuple[Then, ...]
    figures: dict[str, Figure]  # by kind: levels, rows, course, response
    explained: Explained


def shown_finding(one: Named, past: Sequence[PastShift], figures: dict[str, Figure], most: Most) -> ShownFinding:
    """What there is to say about a finding, and no more of it than ``most``."""
    finding = one.finding
    return ShownFinding(
        anchor=one.anchor,
        status=finding.status,
        word=word(finding.status),
        symbol=SYMBOLS[finding.status],
        name=name_of(finding.rule),
        title=terminal(finding.title, SENTENCE),
        brief=f"{shift_in_brief(finding)}, {', '.join(limits_of(finding))}",
        reason=as_sentence(terminal(finding.reason, SENTENCE)),
        states=_states(finding),
        facts=tuple(_facts(finding)),
        runs=tuple(shown_run(run, most) for run in finding.blame[: most.runs]),
        more_runs=_more(len(finding.blame) - most.runs, "run of rows", "runs of rows"),
        examples=tuple(shown_example(example, finding.rule.target) for example in finding.examples[: most.examples]),
        more_examples=_more(len(finding.examples) - most.examples, "prompt", "prompts"),
        waivers=tuple(waivers_of(finding)),
        about=tuple((label, text) for label, text in _about(finding, one.name) if text),
        past=tuple(_then(then, finding.unit) for then in reversed(past[-PAST_DRAWN:])),
        figures=figures,
        explained=explained(finding, most),
    )


def as_sentence(text: str) -> str:
    """The text beginning with a capital letter."""
    return text[:1].upper() + text[1:]


def _more(count: int, one: str, many: str) -> str:
    return f"and {count} more {one if count == 1 else many}; the json report has all" if count > 0 else ""


def _states(finding: Finding) -> tuple[State, ...]:
    readings = (("\u2212", "before", finding.before), ("+", "after", finding.after))
    return (*(_level(*reading, finding.unit) for reading in readings), _shift(finding))


def _level(mark: str, state: str, reading: Reading, unit: str) -> State:
    scale = scale_of(unit)
    if not isinstance(reading, Measured):
        return State(mark, state, "unmeasured", "", terminal(reading.reason, SENTENCE))
    interval = f"[{scale.level(reading.low)}, {scale.level(reading.high)}]"
    return State(mark, state, f"{scale.level(reading.level)} {scale.level_unit}", interval, "")


def _shift(finding: Finding) -> State:
    shift, scale = finding.shift, scale_of(finding.unit)
    if isinstance(shift, NoShift):
        return State("!", "shift", "none predicted", "", terminal(shift.reason, SENTENCE))
    interval = f"[{scale.delta(shift.low)}, {scale.delta(shift.high)}]"
    return State("!", "shift", f"{scale.delta(shift.delta)} {scale.delta_unit}", interval, "")


def _facts(finding: Finding) -> Iterator[tuple[str, str]]:
    rule, shift, scale = finding.rule, finding.shift, scale_of(finding.unit)
    yield from (limit.partition(" ")[::2] for limit in limits_of(finding))
    if finding.status is not Status.WARN:  # of a warned finding the limits name it
        yield "warn", signed_limit(rule, rule.warn_delta, finding.unit)
    if not isinstance(shift, NoShift):
        yield "noise", f"{scale.level(shift.noise)} {scale.delta_unit}"
        yield "adjusted p", probability(shift.p_adjusted)


def _about(finding: Finding, name: str) -> Iterator[tuple[str, str]]:
    rule = finding.rule
    yield "why", terminal(rule.why, SENTENCE)
    yield "owner", terminal(rule.owner, NAME)
    yield "limits set at", terminal(rule.origin, PATH)
    yield "locked", "yes: no policy that extends it may loosen it" if rule.locked else ""
    yield "probe", terminal(rule.probe, PATH)
    yield "watches", {"increase": "increases", "decrease": "decreases", "either": "shifts either way"}[rule.direction]
    yield "datasets", ", ".join(terminal(dataset, NAME) for dataset in rule.datasets)
    yield "finding", terminal(name, PATH)
    yield "rows hash", terminal(finding.rows_hash, PATH)


def _then(one: PastShift, unit: str) -> Then:
    scale = scale_of(unit)
    interval = f"[{scale.delta(one.shift.low)}, {scale.delta(one.shift.high)}]"
    shift = f"{scale.delta(one.shift.delta)} {scale.delta_unit}"
    result = terminal(one.result, NAME)[:12]
    return Then(terminal(one.when, NAME), terminal(one.scope, PATH), result, one.status, shift, interval)
