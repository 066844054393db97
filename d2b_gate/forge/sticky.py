"""The one comment that stays: its body, how it is told from others, and what is to be done. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from d2b_gate.forge.shapes import Comment

LONGEST = 65_536  # characters of a comment on GitHub; counted here as bytes, of which there are never fewer
_KEY = 16  # hex digits: gates of one repository, not an adversary, are told apart by them
_CUT = "\n\n(the rest did not fit)\n"
_RUN = re.compile(r", \[run\]\([^)\n]*\)(?=</sub>$)")
_COST = re.compile(r"^- rows: .* cached; [0-9.]+ s$", re.MULTILINE)
_URL = re.compile(r"https?://[\w.:-]+(/[\w.-]+)+")


class Step(Enum):
    """What is to be done."""

    CREATE = "create"
    UPDATE = "update"
    KEEP = "keep"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, and with which comments of ours: the first stays, the others are folded into it."""

    step: Step
    ours: tuple[Comment, ...] = ()


def marker(key: str) -> str:
    """The first line of a comment of this gate; invisible when rendered, and safe whatever the key holds."""
    return f"<!-- d2b-gate comment {sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:_KEY]} -->"


def body_of(key: str, report: str, head: str, run_url: str) -> str:
    """The comment: marker, report, and which commit was judged in which run."""
    run = f", [run]({run_url})" if _URL.fullmatch(run_url) else ""
    footer = f"\n<sub>commit {head}{run}</sub>\n" if head else ""
    room = LONGEST - len(marker(key)) - len(footer) - len("\n")
    return f"{marker(key)}\n{fitting(report, room)}{footer}"


def fitting(report: str, room: int) -> str:
    """The report, or its first lines where it has more bytes in UTF-8, which no report of ours has."""
    whole = report.encode("utf-8", "replace")
    if len(whole) <= room:
        return report
    kept = whole[: max(0, room - len(_CUT))]
    return kept[: kept.rfind(b"\n") + 1].decode("utf-8").rstrip("\n") + _CUT


def decide(comments: Iterable[Comment], author: str, body: str, *, worth_it: bool) -> Plan:
    """Plan, from all comments there are.

    Ours are those of this author that begin with the marker: a marker in what somebody else wrote means nothing.
    """
    first_line = body.partition("\n")[0]
    ours = tuple(sorted(_of_author(comments, author, first_line), key=lambda comment: comment.id))
    if not ours:
        return Plan(Step.CREATE if worth_it else Step.NOTHING)
    same = settled(ours[0].text) == settled(body)
    return Plan(Step.KEEP if same else Step.UPDATE, ours)


def _of_author(comments: Iterable[Comment], author: str, first_line: str) -> list[Comment]:
    wanted = author.lower()  # GitHub's logins know no case
    return [
        comment
        for comment in comments
        if wanted and comment.author.lower() == wanted and comment.text.partition("\n")[0].rstrip() == first_line
    ]


def settled(body: str) -> str:
    """What a comment says, without what each run has of its own: how long it took, and its address."""
    return _RUN.sub("", _COST.sub("", body.replace("\r\n", "\n").strip()))
