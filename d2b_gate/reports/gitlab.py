"""The code quality report of GitLab: a JSON list of problems with a place, a severity and a stable fingerprint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.reports.escape import terminal
from d2b_gate.reports.escape_json import dumped
from d2b_gate.reports.places import policy_place
from d2b_gate.reports.problems import LEFT_OUT, Level, Most, Problem, bounded, fingerprints, left_out, problems

if TYPE_CHECKING:
    from d2b_gate.core.verdict import Verdict
    from d2b_gate.reports.interface import RenderOptions

_SEVERITIES = {Level.ERROR: "blocker", Level.WARNING: "minor", Level.NOTE: "info"}
_MOST = Most(rows=4000, problems=5000)  # our choice: as many as SARIF viewers show, and a few megabytes
_DESCRIPTION = 4000
_PATH = 4096


def render(verdict: Verdict, options: RenderOptions) -> str:
    """One entry per problem, in ASCII whatever the options say."""
    shown, hidden = bounded(problems(verdict), _MOST)
    if hidden:
        shown = [*shown, _rest(hidden, verdict)]
    return dumped([_entry(problem, name) for problem, name in zip(shown, fingerprints(shown), strict=True)])


def _rest(hidden: int, verdict: Verdict) -> Problem:
    """What was left out, as one more problem: the format has no other place for it."""
    return Problem(
        check=LEFT_OUT,
        title="left out",
        sentences=(left_out(hidden),),
        level=Level.NOTE,
        places=(policy_place(verdict),),
        identity=("left out",),  # without the number, so that it stays the same entry
    )


def _entry(problem: Problem, fingerprint: str) -> dict[str, object]:
    place = problem.places[0]
    told = terminal(f"{problem.title}: {'; '.join(problem.sentences)}", _DESCRIPTION)
    return {
        "description": told,
        "check_name": problem.check,
        "fingerprint": fingerprint,
        "severity": _SEVERITIES[problem.level],
        "location": {"path": terminal(place.path, _PATH), "lines": {"begin": place.first, "end": place.last}},
    }
