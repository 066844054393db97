"""The waivers of one state, today's date, and what a reader must know of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from d2b_gate.cli.policy_reading import read_the_policy
from d2b_gate.core.errors import PolicyError
from d2b_gate.core.printable import printable
from d2b_gate.core.waivers import Waivers
from d2b_gate.policy.waiver_lint import lint_waivers
from d2b_gate.policy.waivers import FILE, read_waivers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from d2b_gate.core.errors import GateError
    from d2b_gate.core.rules import Policy, Rule
    from d2b_gate.policy.find import Found
    from d2b_gate.probes.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class WaiverLint:
    """Problems, which make the file unusable, and notes, which do not."""

    problems: tuple[GateError, ...]
    notes: tuple[str, ...]


def today() -> str:
    """Return the day in UTC; nothing but the machine's clock sets it, for it decides what is covered."""
    return datetime.now(timezone.utc).date().isoformat()


def read_policy_and_waivers(found: Found, reader: Callable[[str], str | None]) -> tuple[Policy, Catalogue, Waivers]:
    """Read what a change is judged by, all from one state.

    Raises:
        PolicyError: every problem of the policy and of the waivers.
    """
    try:
        policy, catalogue = read_the_policy(found, reader)
    except PolicyError as error:
        raise PolicyError([*error.problems, *lint_the_waivers(reader, ()).problems]) from error
    return policy, catalogue, standing_waivers(reader, policy.rules)


def standing_waivers(reader: Callable[[str], str | None], rules: Sequence[Rule]) -> Waivers:
    """Read the waivers of the state that ``reader`` reads; none where there is no file.

    Raises:
        PolicyError: every problem of the file.
    """
    text = reader(FILE)
    if text is None:
        return Waivers(today=today())
    return Waivers(read_waivers(text, [rule.id for rule in rules]), today())


def unusable(reader: Callable[[str], str | None]) -> tuple[str, ...]:
    """What breaks the waivers of a pull request's head: no check runs once it is merged, and none counts before."""
    try:
        read_waivers(reader(FILE) or "schema = 1", ())
    except PolicyError as error:
        return (f"this change breaks {FILE}, and no check will run after it: {error.problems[0]}",)
    return ()


def lint_the_waivers(reader: Callable[[str], str | None], rules: Sequence[Rule]) -> WaiverLint:
    """Everything to say about the waivers of a state; ``rules`` are empty where its policy cannot be read."""
    try:
        waivers = standing_waivers(reader, rules)
    except PolicyError as error:
        return WaiverLint(tuple(error.problems), ())
    return WaiverLint((), lint_waivers(waivers, rules))


def lint_text(lint: WaiverLint) -> str:
    """One line per problem or note, for `policy lint`."""
    lines = [*(str(problem) for problem in lint.problems), *(f"note: {note}" for note in lint.notes)]
    return "".join(f"{printable(line)}\n" for line in lines)
