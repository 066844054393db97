"""One finding in depth, as text: the rule, the formula with its numbers, answers, tokens, rows, views and doses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.reports.describe import NAME, PATH, SENTENCE, name_of
from d2b_gate.reports.escape import ascii_only, terminal
from d2b_gate.reports.explanation_formula import formula
from d2b_gate.reports.explanation_parts import answers, doses, rows, sayings, tokens, views
from d2b_gate.reports.full_block import hunk
from d2b_gate.reports.layout import GAP, flowed, word, wrapped
from d2b_gate.reports.numbers import counted, scale_of, signed_limit
from d2b_gate.reports.waiving import waivers_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.verdict import Finding, Verdict
    from d2b_gate.reports.interface import RenderOptions

_OTHERS_SHOWN = 10
_LABEL = 10
_DIRECTIONS = {"increase": "an increase", "decrease": "a decrease", "either": "a shift either way"}


@dataclass(frozen=True, slots=True)
class Explained:
    """A finding, its id, and the others of its result that are not ok, each with its id."""

    name: str
    finding: Finding
    others: Sequence[tuple[str, Finding]]


def explanation(verdict: Verdict, one: Explained, options: RenderOptions) -> str:
    """Everything that the result holds about the finding; every number is a prediction."""
    finding = one.finding
    parts = [
        _head(verdict, one, options),
        _rule(finding, options),
        formula(finding, verdict.provenance.null, options),
        *(part(finding, options) for part in (views, answers, sayings, tokens, rows, doses)),
        _others(one.others, options),
    ]
    text = "\n\n".join("\n".join(part) for part in parts if part) + "\n"
    return ascii_only(text) if options.ascii else text


def _head(verdict: Verdict, one: Explained, options: RenderOptions) -> list[str]:
    finding, provenance = one.finding, verdict.provenance
    return [
        hunk(f"@@ {name_of(finding.rule)} @@", finding.status, options),
        *wrapped(terminal(finding.title, SENTENCE), options.width, GAP),
        *_labelled("id", one.name, options),
        *_labelled("change", provenance.scope, options),
        *_labelled("model", " ".join(part for part in (provenance.model_id, provenance.predictor) if part), options),
        *_labelled("reason", finding.reason, options),
        *(line for said in waivers_of(finding) for line in _labelled("waived", said, options)),
    ]


def _rule(finding: Finding, options: RenderOptions) -> list[str]:
    rule = finding.rule
    asked = f"{terminal(rule.probe, PATH)}{f', target {terminal(rule.target, NAME)}' if rule.target else ''}"
    where = ", ".join(terminal(name, NAME) for name in rule.datasets)
    locked = "; locked: no policy that extends it may loosen it" if rule.locked else ""
    return [
        "rule",
        *_labelled(
            "watches", f"{_DIRECTIONS[rule.direction]} of {asked}{f', datasets {where}' if where else ''}", options
        ),
        *_flow("limits", _limits(finding), options),
        *_labelled("owner", rule.owner, options),
        *_labelled("why", rule.why, options),
        *_labelled("set at", f"{rule.origin}{locked}" if rule.origin else "", options),
    ]


def _limits(finding: Finding) -> list[str]:
    rule, scale = finding.rule, scale_of(finding.unit)
    limits = (("warn", rule.warn_delta), ("limit", rule.fail_delta), ("since the baseline", rule.budget_delta))
    told = [f"{label} {signed_limit(rule, value, finding.unit)}" for label, value in limits if _is_set(value)]
    return [*told, f"ceiling {scale.limit(rule.max_level)} {scale.level_unit}"] if _is_set(rule.max_level) else told


def _is_set(limit: float) -> bool:
    return limit != float("inf")


def _others(others: Sequence[tuple[str, Finding]], options: RenderOptions) -> list[str]:
    """The ids of the other findings that are not ok: each can be explained as this one is."""
    if not others:
        return []
    lines = [f"{GAP}{word(finding.status)} {terminal(name, PATH)}" for name, finding in others[:_OTHERS_SHOWN]]
    hidden = len(others) - len(lines)
    more = [f"{GAP}and {counted(hidden, 'more finding')}"] if hidden else []
    return ["also not ok; `d2b-gate explain RESULT FINDING` takes any of these", *lines, *more]


def _labelled(label: str, text: str, options: RenderOptions) -> list[str]:
    return wrapped(terminal(text, SENTENCE), options.width, f"{GAP}{label:<{_LABEL}}") if text else []


def _flow(label: str, parts: list[str], options: RenderOptions) -> list[str]:
    first, *rest = flowed(parts, options.width - len(GAP) - _LABEL, "")
    return [f"{GAP}{label:<{_LABEL}}{first}", *(f"{GAP}{'':<{_LABEL}}{line}" for line in rest)]
