"""The saved form of a predicted shift and of the rows blamed for one, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.verdict import Blame, NoShift, Shift
from d2b_gate.core.wire_values import plain

if TYPE_CHECKING:
    from d2b_gate.core.untrusted import Untrusted

_SIDES = {"added": "added", "removed": "removed"}
_BASES = {"estimated": "estimated", "checked": "checked"}


def shift_to_mapping(shift: Shift | NoShift) -> dict[str, object]:
    """The JSON-ready form; a shift that is missing says why."""
    if isinstance(shift, NoShift):
        return {"unmeasured": shift.reason}
    return {
        "delta": plain(shift.delta),
        "low": plain(shift.low),
        "high": plain(shift.high),
        "noise": plain(shift.noise),
        "p": plain(shift.p),
        "p_adjusted": plain(shift.p_adjusted),
    }


def shift_from(node: Untrusted) -> Shift | NoShift:
    """Read it back, as untrusted. Raises EvaluationError where a key, type or size is wrong."""
    if "unmeasured" in node.members():
        return NoShift(node.fields("unmeasured")["unmeasured"].text())
    table = node.fields("delta low high noise p p_adjusted")
    return Shift(
        delta=table["delta"].number(),
        low=table["low"].number(),
        high=table["high"].number(),
        noise=table["noise"].number(),
        p=table["p"].number(),
        p_adjusted=table["p_adjusted"].number(),
    )


def blame_to_mapping(blame: Blame) -> dict[str, object]:
    """The JSON-ready form."""
    return {
        "path": blame.path,
        "first_line": blame.first_line,
        "last_line": blame.last_line,
        "rows": blame.rows,
        "share": plain(blame.share),
        "side": blame.side,
        "basis": blame.basis,
        **({"samples": list(blame.samples)} if blame.samples else {}),
    }


def blame_from(node: Untrusted) -> Blame:
    """Read it back, as untrusted. Raises EvaluationError where a key, type or size is wrong."""
    table = node.fields("path first_line last_line rows share side basis", "samples")
    return Blame(
        path=table["path"].text(),
        first_line=table["first_line"].count(),
        last_line=table["last_line"].count(),
        rows=table["rows"].count(),
        share=table["share"].number(),
        side=table["side"].one_of(_SIDES),
        basis=table["basis"].one_of(_BASES),
        samples=table["samples"].texts() if "samples" in table else (),
    )
