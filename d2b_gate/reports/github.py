"""Annotations for a pull request's files: workflow commands of the GitHub runner, worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.reports.describe import SENTENCE, in_short
from d2b_gate.reports.escape import ascii_only
from d2b_gate.reports.escape_command import message, property_value
from d2b_gate.reports.problems import Level, Most, Problem, bounded, left_out, problems

if TYPE_CHECKING:
    from d2b_gate.core.verdict import Verdict
    from d2b_gate.reports.interface import RenderOptions

_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}
_MOST = Most(rows=20, problems=1000)  # our choice: the forge shows ten annotations of a kind and step
_TITLE = 250
_PATH = 4096  # the longest path of Linux: one that is cut names no file


def render(verdict: Verdict, options: RenderOptions) -> str:
    """One command per problem, then one plain line that counts."""
    shown, hidden = bounded(problems(verdict), _MOST)
    lines = [*map(_command, shown), *_left_out(hidden), f"d2b-gate: {in_short(verdict)}"]
    text = "\n".join(lines) + "\n"
    return ascii_only(text) if options.ascii else text


def _command(problem: Problem) -> str:
    place = problem.places[0]
    properties = ",".join(
        (
            f"file={property_value(place.path, _PATH)}",
            f"line={place.first}",
            f"endLine={place.last}",
            f"title={property_value(problem.title.rstrip(), _TITLE)}",
        )
    )
    return f"::{_COMMANDS[problem.level]} {properties}::{message(list(problem.sentences), SENTENCE * 2)}"


def _left_out(hidden: int) -> list[str]:
    return [f"::notice title=d2b-gate::{left_out(hidden)}"] if hidden else []
