"""What explains a finding beyond its numbers, in the few lines that the full report has for it; ``-v`` shows more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.reports.describe import SENTENCE
from d2b_gate.reports.doses import crossing_in_words, doses_in_words
from d2b_gate.reports.escape import terminal
from d2b_gate.reports.layout import GAP, flowed, wrapped
from d2b_gate.reports.sayings import drawn_in_words, marked
from d2b_gate.reports.tokens import beyond_null, null_in_words, token_in_brief
from d2b_gate.reports.views import MOST_VIEWS, deciding, places_of_view, view_in_words

if TYPE_CHECKING:
    from d2b_gate.core.verdict import Blame, Finding
    from d2b_gate.reports.interface import RenderOptions

_SAYINGS_SHOWN, _SAYINGS_IN_ALL = 1, 6  # by default, and with -v
_SAID = 400  # characters compared of each answer
_TOKENS_SHOWN, _TOKENS_IN_ALL = 3, 10
_SAMPLES_SHOWN = 1
_SAMPLE = 200  # characters
_PLACES_SHOWN = 3
_LABEL = 9


def view_lines(finding: Finding, options: RenderOptions) -> list[str]:
    """The views that decided, and where their rows stand; with -v all of them."""
    shown = finding.views[:MOST_VIEWS] if options.verbose else deciding(finding)
    lines: list[str] = []
    for view in shown:
        lines += _labelled("view", view_in_words(view, finding.unit), options)
        lines += [f"{GAP}{'':<{_LABEL}}{place}" for place in places_of_view(view, _PLACES_SHOWN)]
    return lines


def saying_lines(finding: Finding, options: RenderOptions) -> list[str]:
    """What the model is predicted to say, as a word diff."""
    shown = finding.sayings[: _SAYINGS_IN_ALL if options.verbose else _SAYINGS_SHOWN]
    lines: list[str] = []
    for saying in shown:
        lines += _labelled("asked", f"{terminal(saying.prompt, SENTENCE)} ({drawn_in_words(saying)})", options)
        lines += _labelled("says", marked(saying, _SAID), options)
    return lines


def token_lines(finding: Finding, options: RenderOptions) -> list[str]:
    """The tokens that move farther than clean changes move them; with -v each of those that the result holds."""
    if options.verbose:
        told = [f"{token_in_brief(token)}; {null_in_words(token)}" for token in finding.tokens[:_TOKENS_IN_ALL]]
        return [line for text in told for line in _labelled("token", text, options)]
    told = [token_in_brief(token) for token in beyond_null(finding)[:_TOKENS_SHOWN]]
    lines = flowed(told, options.width - len(GAP) - _LABEL, "")  # a number stays beside its unit
    return [f"{GAP}{'' if index else 'tokens':<{_LABEL}}{line}" for index, line in enumerate(lines)]


def sample_lines(run: Blame, options: RenderOptions) -> list[str]:
    """Rows of a run as the policy lets them be shown."""
    shown = run.samples if options.verbose else run.samples[:_SAMPLES_SHOWN]
    first = f"{GAP}{'':<{_LABEL}}| "
    return [line for sample in shown for line in wrapped(terminal(sample, _SAMPLE), options.width, first)]


def dose_lines(finding: Finding, options: RenderOptions) -> list[str]:
    """With -v, the level where the change's effect is scaled."""
    if not options.verbose:
        return []
    told = "; ".join(text for text in (doses_in_words(finding), crossing_in_words(finding)) if text)
    return _labelled("doses", told, options)


def _labelled(label: str, text: str, options: RenderOptions) -> list[str]:
    return wrapped(text, options.width, f"{GAP}{label:<{_LABEL}}") if text else []
