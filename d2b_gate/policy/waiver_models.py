"""The shape of the waivers' file: pydantic at this edge, and the source of the JSON Schema that editors use."""

from __future__ import annotations

from datetime import date  # noqa: TC003 - pydantic reads the annotation when the class is made
from typing import Annotated, Literal

from pydantic import Field

from d2b_gate.policy.models import Positive, Strict, Word

Reason = Annotated[str, Field(min_length=1, max_length=2000)]


class WaiverTable(Strict):
    """A permission to exceed one rule's limit; it needs `paths`, `data`, or both."""

    rule: Word = Field(description="Id of the rule that is waived.")
    paths: list[Word] = Field(default=[], description="Globs; every changed file that the rule judges must match one.")
    data: str = Field(
        default="",
        json_schema_extra={"pattern": "^([0-9a-f]{64})?$"},
        description="Hash of the changed rows, as `rows_hash` in a JSON result; no other rows are covered.",
    )
    max_delta: Positive = Field(
        description="The cap, in the probe's unit: no change is covered whose shift may be larger."
    )
    owner: Word = Field(description="Who answers for the waiver.")
    approver: Word = Field(description="Who agreed to it; somebody else than the owner.")
    reason: Reason = Field(description="Why it was granted; shown in every report.")
    expires: date = Field(description="The last day (UTC) on which it covers anything: 2026-12-01.")


class WaiversTable(Strict):
    """Waivers of a d2b-gate policy."""

    version: Literal[1] = Field(alias="schema", description="Version of this format.")
    waiver: list[WaiverTable] = Field(default=[], description="The waivers.")
