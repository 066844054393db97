"""A JSON Schema for rows: which rows break it, without quoting them unless the policy says so."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from d2b_gate.core.errors import UsageError
from d2b_gate.core.printable import printable
from d2b_gate.formats.errors import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

    from d2b_gate.core.rules import ShowSamples
    from d2b_gate.formats.interface import Record

_LONGEST_RULE = 80  # our choice: a longer rule is named without its value
_REMEDY = "correct the schema that the policy names in 'row_schema'"


def violations(
    records: Iterable[Record], schema: Mapping[str, object], path: str, samples: ShowSamples = "redacted"
) -> Iterator[tuple[int, str]]:
    """Yield (line, message) for every rule that a record breaks; a message names the place and the rule, never a value.

    Keys that the schema names are shown. Any other key is text of the row, and ``samples`` says what is shown of it.

    References outside the schema are not fetched.

    Raises:
        UsageError: the schema is not one, or refers to what it does not hold.
    """
    from jsonschema.exceptions import SchemaError
    from referencing.exceptions import Unresolvable

    try:
        validator = _validator(schema)
        shown = partial(_step, named=_keys(schema), samples=samples)
        for record in records:
            instance: Any = record.value
            errors = sorted(validator.iter_errors(instance), key=lambda error: error.json_path)
            for message in dict.fromkeys(_message(error, shown) for error in errors):
                yield record.line, message
    except SchemaError as error:
        what = f"the row schema is not valid JSON Schema ({printable(error.message)[:_LONGEST_RULE]})"
        raise UsageError(what, where=printable(path), remedy=_REMEDY) from error
    except Unresolvable as error:
        what = f"the row schema refers to {quoted(error.ref)}, which it does not hold"
        raise UsageError(what, where=printable(path), remedy="schemas are not fetched; put it under $defs") from error
    except RecursionError as error:
        raise UsageError(
            "the row schema refers to itself without end", where=printable(path), remedy=_REMEDY
        ) from error


def _validator(schema: Mapping[str, object]) -> Validator:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import validator_for
    from referencing import Registry

    kind = validator_for(schema, default=Draft202012Validator)
    kind.check_schema(dict(schema))
    # An empty registry fetches nothing; the default one would open URLs.
    return kind(schema, registry=Registry())


def _keys(schema: Mapping[str, object]) -> frozenset[str]:
    """The keys of rows that the schema names."""
    found: set[str] = set()
    waiting: list[object] = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            properties = node.get("properties")
            found.update(properties if isinstance(properties, dict) else ())
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return frozenset(found)


def _step(step: str | int, named: frozenset[str], samples: ShowSamples) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    if step in named or samples == "full":
        return f"[{quoted(step)}]"
    return "[...]" if samples == "none" else f"[a key of {len(step)} characters]"


def _message(error: ValidationError, step_shown: Callable[[str | int], str]) -> str:
    place = "the row" + "".join(step_shown(step) for step in error.path)
    if not error.validator:
        return f"{place} is not allowed"
    rule = json.dumps(error.validator_value, ensure_ascii=True, default=str)
    shown = f"{error.validator}: {rule}" if len(rule) <= _LONGEST_RULE else str(error.validator)
    return f"{place} breaks the rule {shown}"
