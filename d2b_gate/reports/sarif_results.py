"""The results of a SARIF run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from d2b_gate.reports.escape_json import unlinked
from d2b_gate.reports.problems import fingerprints

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from d2b_gate.reports.places import Place
    from d2b_gate.reports.problems import Problem

_MESSAGE = 4000
_FOREIGN = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # surrogates that stand for no byte of a file name


def results(shown: Sequence[Problem], places: Mapping[object, int]) -> list[dict[str, object]]:
    """One result per problem; ``places`` says at which index of the rules each one is described."""
    named = zip(shown, fingerprints(shown), strict=True)
    return [_result(problem, name, places[problem.check]) for problem, name in named]


def _result(problem: Problem, fingerprint: str, rule: int) -> dict[str, object]:
    foremost, *others = problem.places
    found: dict[str, object] = {
        "ruleId": problem.check,
        "ruleIndex": rule,
        "level": problem.level.value,
        "message": {"text": unlinked(f"{problem.title}: {'; '.join(problem.sentences)}", _MESSAGE)},
        "locations": [{"physicalLocation": _location(foremost)}],
        # the first is what GitHub tracks an alert by, and what it would else compute from the line
        "partialFingerprints": {"primaryLocationLineHash": f"{fingerprint}:1", "d2bGateProblem/v1": fingerprint},
    }
    if others:
        found["relatedLocations"] = [{"physicalLocation": _location(place)} for place in others]
    if problem.waived:
        found["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": reason} for reason in problem.waived
        ]
    return found


def _location(place: Place) -> dict[str, object]:
    return {
        "artifactLocation": {"uri": uri(place.path), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": place.first, "endLine": place.last},
    }


def uri(path: str) -> str:
    """A path below the root as a relative URI: all but letters, digits, ``_.-~`` and ``/`` is percent-encoded."""
    encoded = _FOREIGN.sub("\ufffd", path).encode("utf-8", "surrogateescape")
    below = quote(encoded, safe="/")
    return f"%2F{below[1:]}" if below.startswith("/") else below
