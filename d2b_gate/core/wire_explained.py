"""The saved form of what explains a finding beyond its numbers; a key is absent where there is nothing under it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.untrusted import refusal
from d2b_gate.core.verdict import Dose, NoShift, Saying, TokenMove, View
from d2b_gate.core.wire_shift import blame_from, blame_to_mapping, shift_from, shift_to_mapping
from d2b_gate.core.wire_values import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from d2b_gate.core.untrusted import Untrusted
    from d2b_gate.core.verdict import Finding

EXPLAINED = "sayings tokens doses views raw_delta"
"""The keys, for the reader of a finding."""


def explained_to_mapping(finding: Finding) -> dict[str, object]:
    """The JSON-ready form of the parts that are there."""
    parts: dict[str, list[object]] = {
        "sayings": [_saying_to_mapping(saying) for saying in finding.sayings],
        "tokens": [_token_to_mapping(token) for token in finding.tokens],
        "doses": [{"strength": plain(dose.strength), "level": plain(dose.level)} for dose in finding.doses],
        "views": [_view_to_mapping(view) for view in finding.views],
    }
    raw: dict[str, object] = {"raw_delta": plain(finding.raw_delta)} if finding.raw_delta else {}
    return {**{key: part for key, part in parts.items() if part}, **raw}


def _saying_to_mapping(saying: Saying) -> dict[str, object]:
    return {"prompt": saying.prompt, "drawn": saying.drawn, "before": saying.before, "after": saying.after}


def _token_to_mapping(token: TokenMove) -> dict[str, object]:
    return {
        "text": token.text,
        "before": plain(token.before),
        "after": plain(token.after),
        "null": plain(token.null),
        "listed": token.listed,
    }


def _view_to_mapping(view: View) -> dict[str, object]:
    return {
        "name": view.name,
        "rows": view.rows,
        "standing_for": plain(view.standing_for),
        "shift": shift_to_mapping(view.shift),
        "fired": view.fired,
        "places": [blame_to_mapping(place) for place in view.places],
    }


def sayings_from(table: Mapping[str, Untrusted]) -> tuple[Saying, ...]:
    """Read them back, as untrusted, as all that follow."""
    rows = [node.fields("prompt drawn before after") for node in _items(table, "sayings")]
    return tuple(
        Saying(row["prompt"].text(), row["drawn"].text(), before=row["before"].text(), after=row["after"].text())
        for row in rows
    )


def tokens_from(table: Mapping[str, Untrusted]) -> tuple[TokenMove, ...]:
    """Token moves."""
    rows = [node.fields("text before after null listed") for node in _items(table, "tokens")]
    return tuple(
        TokenMove(
            row["text"].text(),
            before=row["before"].number(),
            after=row["after"].number(),
            null=row["null"].number(),
            listed=row["listed"].truth(),
        )
        for row in rows
    )


def doses_from(table: Mapping[str, Untrusted]) -> tuple[Dose, ...]:
    """Doses."""
    rows = [node.fields("strength level") for node in _items(table, "doses")]
    return tuple(Dose(row["strength"].number(), row["level"].number()) for row in rows)


def views_from(table: Mapping[str, Untrusted]) -> tuple[View, ...]:
    """What the dilution guard looked at."""
    return tuple(_view_from(node) for node in _items(table, "views"))


def _view_from(node: Untrusted) -> View:
    table = node.fields("name rows standing_for shift fired places")
    shift = shift_from(table["shift"])
    if isinstance(shift, NoShift):
        raise refusal("a view without a shift is none", table["shift"].at)
    return View(
        name=table["name"].text(),
        rows=table["rows"].count(),
        standing_for=table["standing_for"].number(),
        shift=shift,
        fired=table["fired"].truth(),
        places=tuple(blame_from(place) for place in table["places"].items()),
    )


def _items(table: Mapping[str, Untrusted], key: str) -> tuple[Untrusted, ...]:
    return table[key].items() if key in table else ()
