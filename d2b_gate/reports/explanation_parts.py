"""What explains a finding beyond its numbers, part by part; a part that the result does not hold is no line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.judge import past_limit
from d2b_gate.reports.describe import NAME, PATH, blamed
from d2b_gate.reports.doses import crossing_in_words, doses_in_words
from d2b_gate.reports.escape import terminal
from d2b_gate.reports.explanation_formula import condition_lines
from d2b_gate.reports.full_block import carried, ranked_answers
from d2b_gate.reports.layout import GAP, flowed, wrapped
from d2b_gate.reports.numbers import counted
from d2b_gate.reports.sayings import drawn_in_words, marked
from d2b_gate.reports.tokens import null_in_words, token_in_brief
from d2b_gate.reports.views import MOST_VIEWS, places_of_view, view_in_words
from d2b_gate.reports.word_diff import LONGEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.reading import Answer
    from d2b_gate.core.verdict import Blame, Finding
    from d2b_gate.reports.interface import RenderOptions

_PROMPTS = 200  # our choice for all of these: past them nobody reads on, and the JSON has all
_ANSWERS = 12
_SAYINGS = 40
_TOKENS = 40
_RUNS = 100
_SAMPLES = 5
_PLACES = 20
_PROMPT = 1000  # characters
_INDENT = " " * 5


def views(finding: Finding, options: RenderOptions) -> list[str]:
    """The parts of the change that were judged as though they were all of it."""
    if not finding.views:
        return []
    lines = _title("views", "the changed rows, or some of them, judged as though they were the whole change", options)
    for view in finding.views[:MOST_VIEWS]:
        lines += wrapped(view_in_words(view, finding.unit), options.width, GAP, GAP * 2)
        lines += condition_lines(past_limit(finding.rule, view.shift), finding.unit)
        lines += [f"{GAP * 2}{place}" for place in places_of_view(view, _PLACES)]
    return lines


def answers(finding: Finding, options: RenderOptions) -> list[str]:
    """Every prompt with its ranked alternatives before and after."""
    if not finding.examples:
        return []
    lines = _title("answers", "predicted shares among the probe's alternatives, by prompt; - before, + after", options)
    for example in finding.examples[:_PROMPTS]:
        lines += [
            *wrapped(terminal(example.prompt, _PROMPT), options.width, GAP),
            *_listed("-", example.before, finding.rule.target, options),
            *_listed("+", example.after, finding.rule.target, options),
        ]
    return [*lines, *_rest(len(finding.examples) - _PROMPTS, "prompt")]


def _listed(mark: str, answers: tuple[Answer, ...], target: str, options: RenderOptions) -> list[str]:
    """Ranked alternatives; a share stays beside its alternative."""
    parts = ranked_answers(answers, target, _ANSWERS) or ["no answer"]
    lines = flowed(parts, options.width - len(_INDENT), "")
    return [f"{' ' if index else mark}{_INDENT[1:]}{line}" for index, line in enumerate(lines)]


def sayings(finding: Finding, options: RenderOptions) -> list[str]:
    """What the model is predicted to say, as word diffs."""
    if not finding.sayings:
        return []
    lines = _title(
        "sayings", "what the model is predicted to say, drawn alike in both states; [-before-] {+after+}", options
    )
    for saying in finding.sayings[:_SAYINGS]:
        lines += wrapped(f"{terminal(saying.prompt, _PROMPT)} ({drawn_in_words(saying)})", options.width, GAP)
        lines += wrapped(marked(saying, LONGEST), options.width, GAP * 2)
    return [*lines, *_rest(len(finding.sayings) - _SAYINGS, "saying")]


def tokens(finding: Finding, options: RenderOptions) -> list[str]:
    """The tokens that moved most, listed by the probe or not."""
    if not finding.tokens:
        return []
    lines = _title("tokens", "of the whole vocabulary, where an answer begins: those whose share moves most", options)
    for token in finding.tokens[:_TOKENS]:
        lines += wrapped(f"{token_in_brief(token)}; {null_in_words(token)}", options.width, GAP, GAP * 2)
    return [*lines, *_rest(len(finding.tokens) - _TOKENS, "token")]


def rows(finding: Finding, options: RenderOptions) -> list[str]:
    """The rows behind the shift, checked or estimated, with what may be shown of their text."""
    if not finding.blame:
        return []
    lines = _title("rows", "behind the predicted shift; checked: it went down when predicted without them", options)
    for run in finding.blame[:_RUNS]:
        lines += [f"{GAP}{blamed(run)}{GAP}{carried(run)}", *samples(run, _SAMPLES, options)]
    return [*lines, *_rest(len(finding.blame) - _RUNS, "run")]


def samples(run: Blame, most: int, options: RenderOptions) -> list[str]:
    """A few rows of a run as the policy lets them be shown."""
    shown = [terminal(sample, max(NAME, PATH)) for sample in run.samples[:most]]
    return [line for sample in shown for line in wrapped(sample, options.width, f"{GAP * 2}| ")]


def doses(finding: Finding, options: RenderOptions) -> list[str]:
    """The level where the change's effect is scaled."""
    if not finding.doses:
        return []
    told = [doses_in_words(finding), crossing_in_words(finding)]
    lines = _title(
        "doses",
        "the level where the change's effect is scaled, before any calibration; 1 is the change itself",
        options,
    )
    return [*lines, *(line for text in told for line in wrapped(text, options.width, GAP))]


def _title(name: str, text: str, options: RenderOptions) -> list[str]:
    return wrapped(text, options.width, f"{name:<10}")


def _rest(hidden: int, noun: str) -> Sequence[str]:
    return [f"{GAP}and {counted(hidden, f'more {noun}')}; --format json has all"] if hidden > 0 else []
