"""Pages that show what only the html report shows: earlier results, many findings, markup in every text."""

from __future__ import annotations

from dataclasses import replace

from d2b_gate.core.history import Past
from d2b_gate.core.reading import Answer, Measured
from d2b_gate.core.verdict import Blame, Example, Shift, Status
from d2b_gate.reports.interface import RenderOptions

from .verdicts import (
    EDITS,
    ERROR,
    EXAMPLES,
    FAILED,
    INCONCLUSIVE,
    OTHERS,
    PROVENANCE,
    QUIET,
    SINCE,
    WAIVED,
    WARNED,
    verdict,
)

PLAIN = RenderOptions()


def past_of(*deltas: float) -> tuple[Past, ...]:
    """Earlier results, one a day, whose panda rule was predicted to shift by these."""
    return tuple(_past(day, delta) for day, delta in enumerate(deltas, start=1))


def _past(day: int, delta: float) -> Past:
    shift = Shift(delta=delta, low=delta - 0.01, high=delta + 0.012, noise=0.011, p=0.5, p_adjusted=0.9)
    status = Status.FAIL if delta > 0.05 else Status.WARN if delta > 0.02 else Status.OK
    found = replace(FAILED, status=status, shift=shift, blocks=status is Status.FAIL)
    scope = replace(PROVENANCE, scope=f"HEAD {day:07x} -> index")
    return Past(f"2026-11-{day:02} 09:30", verdict(found, QUIET, provenance=scope, fingerprint=f"{day:064x}"))


HISTORY = past_of(0.002, -0.004, 0.011, 0.031, 0.009, 0.072, 0.012)
LANGUAGE = replace(
    FAILED,
    rule=replace(FAILED.rule, id="answer-language", probe="format/french", target="French", fail_delta=0.03, owner=""),
    title="Share of answers in French to questions in English",
    before=Measured(0.012, low=0.008, high=0.016),
    after=Measured(0.061, low=0.05, high=0.072),
    shift=Shift(delta=0.049, low=0.036, high=0.062, noise=0.008, p=0.0021, p_adjusted=0.0147),
    examples=(
        Example(
            "Summarise the following paragraph in two sentences.",
            before=(Answer("English", 0.97), Answer("French", 0.02), Answer("German", 0.01)),
            after=(Answer("English", 0.91), Answer("French", 0.07), Answer("German", 0.02)),
        ),
    ),
    blame=(
        *FAILED.blame[:1],
        Blame("data/a/rather/deep/folder/of/translations/part-0017.jsonl", 12, 88, 77, 0.41, "added", "checked"),
        Blame("data/sft.jsonl", 2496, 2501, rows=6, share=0.11, side="added", basis="estimated"),
        Blame("data/old.jsonl", 3, 3, rows=1, share=0.02, side="removed", basis="estimated"),
    ),
)
SEVERAL = verdict(
    FAILED, LANGUAGE, ERROR, INCONCLUSIVE, WARNED, WAIVED, QUIET, *OTHERS, since=(SINCE,),
    notes=("3 rows are longer than 1024 tokens and were cut.",),
)  # fmt: skip
EVERYTHING = replace(
    SEVERAL,
    deferred="d",
    row_findings=EXAMPLES["row-schema"].row_findings,
    policy_changes=EDITS,
    controls=EXAMPLES["control-failed"].controls,
)
PAGES = {
    "several": (SEVERAL, replace(PLAIN, history=HISTORY, result="results/r.json")),
    "history": (verdict(FAILED, QUIET), replace(PLAIN, history=HISTORY)),
    **{name: (found, PLAIN) for name, found in EXAMPLES.items()},
}
MARKUP = "<img src=x onerror=alert(1)><script>document.title=1</script>\"'><svg onload=alert(1)>*</td></table><!--"
