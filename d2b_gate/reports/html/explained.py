"""What explains a finding beyond its numbers, as the texts that the page lays out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.reports.describe import NAME, PATH, interval_in_brief, significance
from d2b_gate.reports.doses import crossing_in_words, shown_doses
from d2b_gate.reports.escape import terminal
from d2b_gate.reports.numbers import counted, percent, scale_of
from d2b_gate.reports.sayings import drawn_in_words
from d2b_gate.reports.tokens import UNLISTED, is_beyond_null, name_of_token
from d2b_gate.reports.views import MOST_VIEWS, places_of_view
from d2b_gate.reports.word_diff import LONGEST, Side, word_diff

if TYPE_CHECKING:
    from d2b_gate.core.verdict import Blame, Finding, Saying, TokenMove, View
    from d2b_gate.reports.word_diff import Run

_PLACES_SHOWN = 5
_PROMPT = 1000  # characters
_SAMPLE = 400
_WIDENED = 10  # characters of the longest escape


@dataclass(frozen=True, slots=True)
class Most:
    """How much of a finding a page shows; the JSON report has all."""

    runs: int
    samples: int  # of a run
    examples: int
    sayings: int
    tokens: int


OPENED = Most(runs=100, samples=3, examples=10, sayings=6, tokens=12)
FOLDED = Most(runs=20, samples=1, examples=1, sayings=1, tokens=3)
"""Of a finding that is one line until it is opened: hundreds of them must not make a page of many megabytes."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Words that both answers have ("both"), or one alone ("before", "after")."""

    side: str
    text: str


@dataclass(frozen=True, slots=True)
class ShownSaying:
    """A prompt, how its answers were drawn, and the answers as one text with what differs marked."""

    prompt: str
    drawn: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class ShownToken:
    """A row of the table of tokens."""

    name: str
    note: str
    before: str
    after: str
    moved: str
    null: str


@dataclass(frozen=True, slots=True)
class ShownView:
    """A part of the change that was judged as though it were all of it."""

    name: str
    outcome: str  # "FIRED", or that it did not
    status: str  # the class that colours the outcome
    rows: str
    shift: str
    significance: str
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownDose:
    """A row of the table of doses."""

    strength: str
    level: str


@dataclass(frozen=True, slots=True)
class Explained:
    """All of it; an empty part is left out of the page."""

    views: tuple[ShownView, ...]
    sayings: tuple[ShownSaying, ...]
    tokens: tuple[ShownToken, ...]
    doses: tuple[ShownDose, ...]
    crossing: str
    left_out: str


def explained(finding: Finding, most: Most) -> Explained:
    """The parts that a finding has, each no longer than the page shows of it."""
    hidden = (
        (len(finding.sayings) - most.sayings, "more saying"),
        (len(finding.tokens) - most.tokens, "more token"),
    )
    rest = ", ".join(counted(count, noun) for count, noun in hidden if count > 0)
    scale = scale_of(finding.unit)
    return Explained(
        views=tuple(_view(view, finding.unit) for view in finding.views[:MOST_VIEWS]),
        sayings=tuple(_saying(saying) for saying in finding.sayings[: most.sayings]),
        tokens=tuple(_token(token) for token in finding.tokens[: most.tokens]),
        doses=tuple(
            ShownDose(f"{dose.strength:.3g}", f"{scale.level(dose.level)} {scale.level_unit}")
            for dose in shown_doses(finding)
        ),
        crossing=f"{crossing.capitalize()}." if (crossing := crossing_in_words(finding)) else "",
        left_out=f"and {rest}; `d2b-gate explain` shows them" if rest else "",
    )


def _view(view: View, unit: str) -> ShownView:
    return ShownView(
        name=terminal(view.name, NAME),
        outcome="FIRED" if view.fired else "did not fire",
        status="fail" if view.fired else "quiet",
        rows=f"{counted(view.rows, 'row')} weighted as {view.standing_for:.6g}",
        shift=interval_in_brief(view.shift, unit),
        significance=significance(view.shift, unit),
        places=tuple(places_of_view(view, _PLACES_SHOWN)),
    )


def _saying(saying: Saying) -> ShownSaying:
    found = word_diff(saying.before, saying.after)
    rest = (Piece("both", f"(the first {LONGEST} characters)"),) if found.cut else ()
    pieces = tuple(_piece(run) for run in found.runs) or (Piece("both", "no answer"),)
    return ShownSaying(terminal(saying.prompt, _PROMPT), drawn_in_words(saying), (*pieces, *rest))


def _piece(run: Run) -> Piece:
    side = {Side.BOTH: "both", Side.BEFORE: "before", Side.AFTER: "after"}[run.side]
    return Piece(side, terminal(run.words, len(run.words) * _WIDENED))


def _token(token: TokenMove) -> ShownToken:
    scale = scale_of("share")
    notes = ("" if token.listed else UNLISTED, "" if is_beyond_null(token) else "no farther than clean changes")
    return ShownToken(
        name=name_of_token(token),
        note="; ".join(note for note in notes if note),
        before=f"{scale.level(token.before)} %",
        after=f"{scale.level(token.after)} %",
        moved=f"{scale.delta(token.after - token.before)} pt",
        null=f"{scale.level(token.null)} pt",
    )


@dataclass(frozen=True, slots=True)
class ShownRun:
    """A row of the table of rows behind a shift, and a few of the rows as text."""

    where: str
    rows: str
    share: str
    basis: str
    samples: tuple[str, ...]


def shown_run(run: Blame, most: Most) -> ShownRun:
    """A run of rows with the samples that the policy lets be shown."""
    rows = counted(run.rows, "removed row" if run.side == "removed" else "row")
    samples = tuple(terminal(sample, _SAMPLE) for sample in run.samples[: most.samples])
    return ShownRun(terminal(run.where, PATH), rows, percent(run.share), terminal(run.basis, NAME), samples)
