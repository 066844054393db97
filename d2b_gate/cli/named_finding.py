"""A finding of a saved result, as people name it on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.errors import UsageError
from d2b_gate.core.printable import printable
from d2b_gate.core.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.verdict import Finding


def named_finding(named: Sequence[tuple[str, Finding]], wanted: str, where: str) -> tuple[str, Finding]:
    """The finding of this id, with the id; or of this rule, where the rule has but one.

    ``named`` are the findings to choose from, each with its id; ``where`` is the result that they come from.

    Raises:
        UsageError: no finding, or more than one, is called so.
    """
    found = [(name, finding) for name, finding in named if wanted in (name, finding.rule.id)]
    if len(found) == 1:
        return found[0]
    known = [printable(name) for name, _ in found or named]
    if found:
        what = f"{printable(wanted)!r} names more than one finding"
        raise UsageError(what, where=where, remedy=f"write {' or '.join(known)}")
    if not known:
        raise UsageError("the result has no finding", where=where, remedy="take one of a check that judged something")
    what = f"the result has no finding {printable(wanted)!r}"
    raise UsageError(what, where=where, remedy=did_you_mean(wanted, known))
