"""The whole page as the texts that the template lays out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.errors import Exit
from d2b_gate.core.verdict import Status
from d2b_gate.reports.advice import advice
from d2b_gate.reports.describe import PATH, tally
from d2b_gate.reports.escape import terminal
from d2b_gate.reports.html.explained import FOLDED, OPENED
from d2b_gate.reports.html.figures import Drawn, draw_figures
from d2b_gate.reports.html.finding import SYMBOLS, as_sentence, shown_finding
from d2b_gate.reports.html.headline import headline
from d2b_gate.reports.html.named import named
from d2b_gate.reports.html.overview import Overall, overall
from d2b_gate.reports.html.surroundings import Surroundings, surroundings
from d2b_gate.reports.numbers import counted

if TYPE_CHECKING:
    from d2b_gate.core.verdict import Verdict
    from d2b_gate.reports.html.finding import ShownFinding
    from d2b_gate.reports.html.headline import Headline
    from d2b_gate.reports.html.named import Named
    from d2b_gate.reports.interface import RenderOptions

_UNFOLDED = 25  # our choice: findings that stand open; the rest is one line each until it is opened


@dataclass(frozen=True, slots=True)
class Part:
    """A list of findings under one heading: those that stand open, those folded, and the ok ones."""

    title: str
    note: str
    opened: tuple[ShownFinding, ...]
    folded: tuple[ShownFinding, ...]
    ok: tuple[ShownFinding, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """All that the template needs."""

    headline: Headline
    symbol: str
    exit: str
    meaning: str
    counts: tuple[tuple[Status, str, str], ...]  # status, symbol, words
    following: tuple[tuple[str, ...], ...]  # sentences; every second part of one is a command
    overall: Overall
    parts: tuple[Part, ...]
    surroundings: Surroundings
    expanded: bool


_MEANINGS = {
    Exit.OK: "nothing blocks",
    Exit.VIOLATED: "the policy is violated",
    Exit.UNEVALUATED: "could not evaluate",
    Exit.INCONCLUSIVE: "inconclusive, and the policy says that blocks",
}


def page_of(verdict: Verdict, options: RenderOptions) -> Page:
    """Everything on the page, in the order in which it is read."""
    head = headline(verdict)
    change, since = named(verdict)
    drawn = draw_figures([*change, *since], options.history)
    return Page(
        headline=head,
        symbol=SYMBOLS[head.status],
        exit=str(int(verdict.exit)),
        meaning=_MEANINGS.get(verdict.exit, ""),
        counts=tuple((status, SYMBOLS[status], text) for status, text in tally(verdict)),
        following=tuple(_following(verdict, options)),
        overall=overall(change),
        parts=tuple(_parts(verdict, change, since, drawn)),
        surroundings=surroundings(verdict, drawn.note),
        expanded=options.verbose,
    )


def _following(verdict: Verdict, options: RenderOptions) -> list[tuple[str, ...]]:
    """What to do next; on this page it stands above the rows that it speaks of."""
    said = [sentence.replace("rows named above", "rows named below") for sentence in advice(verdict, options)]
    return [tuple(f"{as_sentence(sentence)}.".split("`")) for sentence in said]


def _parts(verdict: Verdict, change: list[Named], since: list[Named], drawn: Drawn) -> list[Part]:
    found = [_part("Findings", "", change, drawn)] if change else []
    for one in verdict.since:
        rows = f"+{counted(one.added, 'row')}, -{counted(one.removed, 'row')}"
        note = f"{terminal(one.scope, PATH)}: {rows}; held against the cumulative limit of each rule, budget_delta."
        found.append(_part("Since the baseline", note, since, drawn))
    return found


def _part(title: str, note: str, findings: list[Named], drawn: Drawn) -> Part:
    loud = [one for one in findings if one.finding.status is not Status.OK]
    quiet = [one for one in findings if one.finding.status is Status.OK]
    opened, folded, ok = (
        tuple(
            shown_finding(one, drawn.past.get(one.anchor, ()), drawn.figures.get(one.anchor, {}), most) for one in some
        )
        for some, most in ((loud[:_UNFOLDED], OPENED), (loud[_UNFOLDED:], FOLDED), (quiet, FOLDED))
    )
    return Part(title, note, opened, folded, ok)
