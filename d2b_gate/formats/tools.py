"""Tool definitions and tool calls as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from d2b_gate.formats.interface import kind_of
from d2b_gate.formats.json_text import parse

if TYPE_CHECKING:
    from d2b_gate.formats.interface import Fields


def tools_of(fields: Fields) -> str:
    """Return the ``tools`` column as compact JSON, in the order in which it is written; empty where it holds none."""
    value = fields.values.get("tools")
    if isinstance(value, str) and value.strip():
        value = parse(value.encode("utf-8", "surrogatepass"), fields.path, fields.line)
    if value in (None, "", []) or (isinstance(value, str) and not value.strip()):
        return ""
    if not isinstance(value, list):
        raise fields.error(f"the field 'tools' is {kind_of(value)}, not a list of tools")
    return json.dumps(_without_nulls(value), ensure_ascii=False, separators=(",", ":"))


def call_text(item: Mapping[str, object], place: str, fields: Fields) -> str:
    """Return a turn's ``tool_calls`` (or the older ``function_call``) as text; empty where it makes none.

    Our choice: the form that the Hermes and Qwen templates write, one ``<tool_call>`` block per call.
    """
    calls = item.get("tool_calls") or ([item["function_call"]] if item.get("function_call") else [])
    if not isinstance(calls, list):
        raise fields.error(f"the tool calls of {place} are {kind_of(calls)}, not a list")
    return "\n".join(_call(call, place, fields) for call in calls)


def _call(call: object, place: str, fields: Fields) -> str:
    function = call.get("function", call) if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise fields.error(f"a tool call of {place} has no function name")
    arguments = function.get("arguments") or {}
    if isinstance(arguments, str):
        arguments = parse(arguments.encode("utf-8", "surrogatepass"), fields.path, fields.line)
    said = {"name": function["name"], "arguments": _without_nulls(arguments)}
    return f"<tool_call>\n{json.dumps(said, ensure_ascii=False)}\n</tool_call>"


def _without_nulls(value: object) -> object:
    """Drop null members: columnar files write them for every key that any other row has."""
    if isinstance(value, Mapping):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_nulls(inner) for inner in value]
    return value
