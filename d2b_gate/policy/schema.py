"""The JSON Schema of a policy file, for editors."""

from __future__ import annotations

from d2b_gate.policy.models import PolicyTable
from d2b_gate.policy.waiver_models import WaiversTable

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NAMED = {"RuleTable": ["id"], "DatasetTable": ["name"]}


def json_schema() -> dict[str, object]:
    """Return the schema of one file.

    An entry that overrides a parent's needs its name only, so nothing else is required of it here; reading the whole
    policy asks for the rest.
    """
    schema = PolicyTable.model_json_schema(by_alias=True)
    for table, required in _NAMED.items():
        schema["$defs"][table]["required"] = required
    return {"$schema": DIALECT, **schema, "title": "d2b-gate policy"}


def waivers_schema() -> dict[str, object]:
    """Return the schema of the file of waivers."""
    schema = WaiversTable.model_json_schema(by_alias=True)
    named = [{"required": ["paths"]}, {"required": ["data"]}]
    schema["$defs"]["WaiverTable"]["anyOf"] = named
    return {"$schema": DIALECT, **schema, "title": "d2b-gate waivers"}
