"""What explains findings in Markdown, collapsed: what the model says before and after, tokens, and rows as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.reports.bounded import Section
from d2b_gate.reports.describe import NAME, PATH, SENTENCE, blamed
from d2b_gate.reports.escape_markdown import code, prose
from d2b_gate.reports.markdown_findings import rule_in_code
from d2b_gate.reports.sayings import drawn_in_words
from d2b_gate.reports.tokens import beyond_null, name_of_token, token_in_brief
from d2b_gate.reports.word_diff import Side, word_diff

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from d2b_gate.core.verdict import Finding, Saying, TokenMove
    from d2b_gate.reports.markdown_findings import Told
    from d2b_gate.reports.word_diff import Run

_TITLE = "Answers before and after, tokens, rows"
_SAYINGS_SHOWN = 2
_SAID = 300  # characters compared of each answer
_TOKENS_SHOWN = 3
_SAMPLE = 200  # characters
_TAGS = {Side.BOTH: ("", ""), Side.BEFORE: ("<del>", "</del>"), Side.AFTER: ("<ins>", "</ins>")}


def explained(loud: Sequence[Told]) -> Section[Told]:
    """A few lines per finding that has any of it."""
    told = [one for one in loud if list(_lines(one[0]))]
    above, below = (f"<details><summary>{_TITLE}</summary>", ""), ("", "</details>")
    return Section(told, _explained, "rule", most=10, size=4_000, above=above, below=below, bullet="\n")


def _explained(told_of: Told) -> str:
    finding, mark = told_of
    return "\n".join([f"{rule_in_code(finding)}{mark}", "", *(f"- {line}" for line in _lines(finding)), ""])


def _lines(finding: Finding) -> Iterator[str]:
    yield from map(_saying, finding.sayings[:_SAYINGS_SHOWN])
    yield from map(_token, beyond_null(finding)[:_TOKENS_SHOWN])
    for run in finding.blame[:1]:
        yield from (f"{code(blamed(run), PATH * 2)}: {code(sample, _SAMPLE)}" for sample in run.samples[:1] if sample)


def _saying(saying: Saying) -> str:
    """The prompt, and the difference: what is struck is said before alone, what is underlined after alone."""
    found = word_diff(saying.before[:_SAID], saying.after[:_SAID])
    said = " ".join(map(_run, found.runs)) or "no answer"
    cut = found.cut or max(len(saying.before), len(saying.after)) > _SAID
    asked = prose(saying.prompt, SENTENCE) or "no prompt"
    return f"{asked} ({prose(drawn_in_words(saying), NAME)}) {said}{' ...' if cut else ''}"


def _run(run: Run) -> str:
    opening, closing = _TAGS[run.side]
    return f"{opening}{prose(run.words, len(run.words) * 10)}{closing}"  # ten: the longest escape of a character


def _token(token: TokenMove) -> str:
    moved = token_in_brief(token).removeprefix(name_of_token(token))
    return f"{code(name_of_token(token), NAME * 2)}{prose(moved, SENTENCE).join((' ', ''))}"
