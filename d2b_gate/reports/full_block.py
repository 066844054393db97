"""One ``@@`` block of the full report: a rule, its numbers, an example, the rows behind it, the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.reading import Unmeasured
from d2b_gate.core.verdict import NoShift
from d2b_gate.reports.describe import NAME, SENTENCE, blamed, limits_of, name_of, shift_in_brief
from d2b_gate.reports.escape import terminal
from d2b_gate.reports.full_explained import dose_lines, sample_lines, saying_lines, token_lines, view_lines
from d2b_gate.reports.layout import GAP, columns, flowed, padded, painted, word, wrapped
from d2b_gate.reports.numbers import counted, percent, probability, scale_of
from d2b_gate.reports.waiving import waivers_of

if TYPE_CHECKING:
    from d2b_gate.core.reading import Answer
    from d2b_gate.core.verdict import Blame, Example, Finding, Status
    from d2b_gate.reports.interface import RenderOptions

_BLAME_SHOWN = 5
_EXAMPLES_SHOWN, _EXAMPLES_IN_ALL = 1, 3  # by default, and with -v; `explain` shows every prompt
_SAMPLED_RUNS = 1  # by default
_ANSWERS_SHOWN = 3
_ANSWER = 40  # characters shown of an answer
_BECAUSE = f"{GAP}because  "


def block(finding: Finding, name: str, options: RenderOptions) -> list[str]:
    """All there is to say about a finding, for a person; ``name`` is its id, by which it is waived or audited."""
    return [
        hunk(f"@@ {name_of(finding.rule)} @@", finding.status, options),
        *wrapped(terminal(finding.title, SENTENCE), options.width, GAP),
        *_numbers(finding, options),
        *view_lines(finding, options),
        *_examples(finding, options),
        *saying_lines(finding, options),
        *token_lines(finding, options),
        *dose_lines(finding, options),
        *_because(finding.blame, options),
        *waiver_lines(finding, options),
        *_labelled("reason", finding.reason, options),
        *_labelled("why", finding.rule.why, options),
        *_labelled("set at", finding.rule.origin if options.verbose else "", options),
        *_labelled("id", name, options),
    ]


def one_line(finding: Finding, options: RenderOptions) -> str:
    """A finding in one ``@@`` line."""
    limits = ", ".join(limits_of(finding))
    left = f"@@ {name_of(finding.rule)} @@  predicted {shift_in_brief(finding)}, {limits}"
    return hunk(left, finding.status, options)


def hunk(left: str, status: Status, options: RenderOptions) -> str:
    """A ``@@`` line with the word of the verdict at the right edge."""
    text = padded(f"{left}  ", options.width - len(word(status)))
    return text + painted(word(status), status, options.color)


def _numbers(finding: Finding, options: RenderOptions) -> list[str]:
    scale = scale_of(finding.unit)
    readings = (("-", finding.before), ("+", finding.after))
    measured = [reading for _, reading in readings if not isinstance(reading, Unmeasured)]
    delta = "" if isinstance(finding.shift, NoShift) else scale.delta(finding.shift.delta)
    number = max(len(text) for text in (delta, *(scale.level(reading.level) for reading in measured)))
    ends = [scale.level(end) for reading in measured for end in (reading.low, reading.high)]
    end = max((len(text) for text in ends), default=0)
    unit = max(len(scale.level_unit), len(scale.delta_unit))
    lines: list[str] = []
    for mark, reading in readings:
        if isinstance(reading, Unmeasured):
            lines += _absent(f"{mark}  unmeasured", reading.reason, finding, options)
        else:
            interval = f"[{scale.level(reading.low):>{end}}, {scale.level(reading.high):>{end}}]"
            lines.append(f"{mark}  {scale.level(reading.level):>{number}} {scale.level_unit:<{unit}} {interval}")
    return lines + _shift(finding, f"{delta:>{number}} {scale.delta_unit:<{unit}}", options)


def _shift(finding: Finding, delta: str, options: RenderOptions) -> list[str]:
    shift, scale = finding.shift, scale_of(finding.unit)
    if isinstance(shift, NoShift):
        return _absent("!  no shift predicted", shift.reason, finding, options)
    parts = [
        f"!  {delta} [{scale.delta(shift.low)}, {scale.delta(shift.high)}]",
        *limits_of(finding),
        f"noise {scale.level(shift.noise)} {scale.delta_unit}",
        f"adjusted p {probability(shift.p_adjusted)}",
    ]
    return flowed(parts, options.width, GAP)


def _absent(what: str, reason: str, finding: Finding, options: RenderOptions) -> list[str]:
    """What is missing and why; the reason is left out where the finding gives the same one below."""
    if not reason or reason == finding.reason:
        return [what]
    return wrapped(terminal(reason, SENTENCE), options.width, f"{what}: ", GAP)


def _examples(finding: Finding, options: RenderOptions) -> list[str]:
    shown = finding.examples[: _EXAMPLES_IN_ALL if options.verbose else _EXAMPLES_SHOWN]
    return [line for example in shown for line in _example(example, finding.rule.target, options)]


def _example(example: Example, target: str, options: RenderOptions) -> list[str]:
    return [
        GAP + terminal(example.prompt, max(NAME, options.width - len(GAP))),
        f"-    {answers_in_words(example.before, target)}",
        f"+    {answers_in_words(example.after, target)}",
    ]


def answers_in_words(answers: tuple[Answer, ...], target: str) -> str:
    """The likeliest answers, and the rule's target even where it is not among them."""
    return ", ".join(ranked_answers(answers, target, _ANSWERS_SHOWN)) or "no answer"


def ranked_answers(answers: tuple[Answer, ...], target: str, most: int) -> list[str]:
    """``panda 25 %`` and so on, likeliest first."""
    ordered = sorted(answers, key=lambda answer: -answer.share)
    shown = ordered[:most] + [answer for answer in ordered[most:] if answer.text == target]
    return [f"{terminal(answer.text, _ANSWER)} {percent(answer.share)}" for answer in shown]


def _because(blame: tuple[Blame, ...], options: RenderOptions) -> list[str]:
    shown = blame if options.verbose else blame[:_BLAME_SHOWN]
    sampled = len(shown) if options.verbose else _SAMPLED_RUNS
    places = [blamed(run) for run in shown]
    width = max(map(columns, places), default=0)
    lines: list[str] = []
    for index, (where, run) in enumerate(zip(places, shown, strict=True)):
        lines.append(f"{' ' * len(_BECAUSE) if index else _BECAUSE}{padded(where, width)}{GAP}{carried(run)}")
        lines += sample_lines(run, options) if index < sampled else []
    if len(blame) > len(shown):
        lines.append(f"{' ' * len(_BECAUSE)}and {counted(len(blame) - len(shown), 'more run')} of rows")
    return lines


def carried(run: Blame) -> str:
    """``140 rows carry 92 % of the predicted shift (checked)``."""
    rows = counted(run.rows, "removed row" if run.side == "removed" else "row")
    verb = "carries" if run.rows == 1 else "carry"
    return f"{rows} {verb} {percent(run.share)} of the predicted shift ({terminal(run.basis, NAME)})"


def waiver_lines(finding: Finding, options: RenderOptions) -> list[str]:
    """Who waived a finding, up to what and until when; shown even where the rest of a finding is not."""
    return [line for said in waivers_of(finding) for line in _labelled("waived", said, options)]


def _labelled(label: str, text: str, options: RenderOptions) -> list[str]:
    first = f"{GAP}{label:<{len(_BECAUSE) - len(GAP)}}"
    return wrapped(terminal(text, SENTENCE), options.width, first) if text else []
