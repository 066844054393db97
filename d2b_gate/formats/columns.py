"""The policy's ``columns``: where in a record each field stands, and what to suggest where nobody has said it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from d2b_gate.formats.errors import malformed, quoted
from d2b_gate.formats.interface import Fields, Record, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_ABSENT = object()
_MAX_STEPS = 4  # our choice: how deep a suggestion looks for text

# Names that real sets use, best first; a column whose name only contains one of them comes after those that equal one.
_INPUTS = ("question", "prompt", "instruction", "query", "problem", "input", "user", "context", "title")
_ANSWERS = ("completion", "response", "answer", "output", "solution", "target", "assistant", "reply", "ans")
_UNWANTED = ("not_", "not ", "incorrect", "wrong", "reject")


def fields_of(record: Record, path: str, columns: tuple[tuple[str, str], ...]) -> Fields:
    """Name a record's values.

    With ``columns`` a shape sees the mapped fields and nothing else. A column is a key, or a path into nested values
    such as ``instances.0.output``; a key that contains the dots itself comes first.
    """
    if not isinstance(record.value, Mapping):
        what = f"the row is {kind_of(record.value)}, not an object with named columns"
        raise malformed(path, record.line, what, "write one object per row")
    named = record.value
    if columns:
        named = {role: _at(record.value, column) for role, column in columns}
    values = {name: value for name, value in named.items() if value is not None and value is not _ABSENT}
    return Fields(values, path, record.line)


def _at(value: object, column: str) -> object:
    if isinstance(value, Mapping) and column in value:
        return value[column]
    for step in column.split("."):
        if isinstance(value, Mapping):
            value = value.get(step, _ABSENT)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return _ABSENT
    return value


def suggestion(value: object) -> str:
    """Return a ``columns = { ... }`` for a record, guessed from the names of its text columns."""
    names = sorted((name for name, _ in _texts(value, ())), key=lambda name: name.count("."))
    question = _best(names, _INPUTS)
    answer = _best([name for name in names if name != question], _ANSWERS)
    if question and answer:
        return _written(_roles(names, question, answer))
    if names:
        return f"{_written({'text': question or names[0]})} for raw text, or exclude a file that holds no answers"
    return 'columns = { prompt = "...", completion = "..." }'


def _texts(value: object, steps: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield (column, text) for every text in a record; of a list only the first element."""
    if isinstance(value, str) and steps:
        yield ".".join(steps), value
    elif isinstance(value, Mapping) and len(steps) < _MAX_STEPS:
        for name, inner in value.items():
            yield from _texts(inner, (*steps, str(name)))
    elif isinstance(value, list) and value and len(steps) < _MAX_STEPS:
        yield from _texts(value[0], (*steps, "0"))


def _best(names: list[str], words: tuple[str, ...]) -> str:
    wanted = [name for name in names if not any(word in name.lower() for word in _UNWANTED)]
    ranked = [name for word in words for name in wanted if _word(name) == word]
    ranked += [name for name in wanted if any(word in _word(name) for word in words)]
    return ranked[0] if ranked else ""


def _word(column: str) -> str:
    """Return the last step of a column that is a name rather than a number."""
    return next((step for step in reversed(column.lower().split(".")) if not step.isdecimal()), "")


def _roles(names: list[str], question: str, answer: str) -> dict[str, str]:
    extra = next((name for name in names if _word(name) == "input" and name not in (question, answer)), "")
    if _word(question) == "instruction" and extra:
        return {"instruction": question, "input": extra, "output": answer}
    return {"prompt": question, "completion": answer}


def _written(roles: Mapping[str, str]) -> str:
    inside = ", ".join(f"{role} = {quoted(column)}" for role, column in roles.items())
    return f"columns = {{ {inside} }}"
