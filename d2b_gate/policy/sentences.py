"""What pydantic found, as sentences for the people who write policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from pydantic import BaseModel, ValidationError

from d2b_gate.core.errors import UsageError
from d2b_gate.core.suggest import did_you_mean
from d2b_gate.policy.models import PolicyTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic_core import ErrorDetails

    from d2b_gate.core.errors import GateError
    from d2b_gate.policy.locate import KeyPath

_TYPES = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "a string",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "finite_number": "a finite number",
    "date_type": "a date without quotes and without a time (2026-12-01)",
}
_BOUNDS = {
    "greater_than": "must be over {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be under {lt:g}",
    "less_than_equal": "must be at most {le:g}",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must not be empty",
    "string_pattern_mismatch": "must match {pattern}",
}
_NAMES = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", dict: "a table"}


MISSING = frozenset({"missing"})
"""The kind of problem that says that a key is not there."""


def shape_problems(
    table: dict[str, object],
    where: Callable[[KeyPath], str],
    shape: type[BaseModel] = PolicyTable,
    without: frozenset[str] = frozenset(),
) -> Iterator[GateError]:
    """Yield one problem per key that has the wrong shape; ``where`` gives its ``file:line``.

    ``without`` are kinds of problems that are not told.
    """
    try:
        shape.model_validate(table)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            if detail["type"] in without:
                continue
            what, remedy = _sentence(detail, shape)
            yield UsageError(what, where=where(detail["loc"]), remedy=remedy)


def sentence(detail: ErrorDetails) -> str:
    """What is wrong with a key of a table that is no policy; pydantic's own words where there are no better ones."""
    key, kind = _shown(detail["loc"]), detail["type"]
    if kind == "extra_forbidden":
        return f"unknown key {str(detail['loc'][-1])!r}"
    return f"{_last(detail)!r} is missing" if kind == "missing" else f"{key}: {detail['msg']}"


def _sentence(detail: ErrorDetails, shape: type[BaseModel]) -> tuple[str, str]:
    """Return what is wrong, and what to do about it."""
    key, kind, context = _shown(detail["loc"]), detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        known = known_keys(detail["loc"][:-1], shape)
        return f"unknown key {str(detail['loc'][-1])!r}{_inside(detail['loc'])}", did_you_mean(_last(detail), known)
    if kind == "missing":
        return f"{_last(detail)!r} is missing{_inside(detail['loc'])}", ""
    if kind == "literal_error":
        return f"{key} must be {context['expected']}, not {_value(detail)}", ""
    if kind in _TYPES:
        return f"{key} must be {_TYPES[kind]}, not {_value(detail)}", ""
    if kind in _BOUNDS:
        return f"{key} {_BOUNDS[kind].format(**context)}", ""
    return f"{key}: {detail['msg']}", ""


def known_keys(path: KeyPath, shape: type[BaseModel] = PolicyTable) -> tuple[str, ...]:
    """Return the keys of the table at a path of the policy, or of another shape."""
    table = shape
    for part in path:
        if isinstance(part, str):
            annotation = table.model_fields[part].annotation
            table = next(kind for kind in (annotation, *get_args(annotation)) if _is_table(kind))
    return tuple(field.alias or name for name, field in table.model_fields.items())


def _is_table(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _last(detail: ErrorDetails) -> str:
    return str(detail["loc"][-1])


def _shown(path: KeyPath) -> str:
    """``'include'`` or ``'include' entry 2``."""
    names = [str(part) for part in path if isinstance(part, str)]
    entry = f" entry {int(path[-1]) + 1}" if len(path) > 1 and isinstance(path[-1], int) else ""
    return f"{names[-1]!r}{entry}"


def _inside(path: KeyPath) -> str:
    """`` in [[rule]]``, or nothing at the top level."""
    names = [str(part) for part in path[:-1] if isinstance(part, str)]
    if not names:
        return ""
    table = ".".join(names)
    return f" in [[{table}]]" if isinstance(path[1], int) else f" in [{table}]"


def _value(detail: ErrorDetails) -> str:
    """Show a short value as it is, and of a long one what it is."""
    value = detail["input"]
    if isinstance(value, str | int | float) and len(repr(value)) <= 40:
        return str(value).lower() if isinstance(value, bool) else repr(value)
    return _NAMES.get(type(value), "that")
