"""The bytes of one file to rows.

A dataset's ``format`` is ``auto``, a container (``jsonl``), a shape (``alpaca``) or both (``json+alpaca``). What it
leaves open is decided per file: the container by the suffix, after ``.gz`` or ``.zst`` has been taken off (these are
recognised by the suffix always); the shape by the first row, which every other row of the file must then have. With
``columns``, only a shape that knows all the mapped names is considered.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from d2b_gate.core.content import pieces_of, whole
from d2b_gate.core.errors import UsageError
from d2b_gate.core.printable import printable
from d2b_gate.formats.columns import fields_of, suggestion
from d2b_gate.formats.decompression import opened
from d2b_gate.formats.errors import listed, malformed, quoted
from d2b_gate.formats.interface import Streaming

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from d2b_gate.core.content import Content
    from d2b_gate.core.rows import Row
    from d2b_gate.core.rules import DatasetSpec
    from d2b_gate.formats.interface import Container, Fields, Record, Shape


def read_rows(
    content: Content,
    path: str,
    spec: DatasetSpec,
    containers: Mapping[str, Container],
    shapes: Mapping[str, Shape],
) -> Iterator[Row]:
    """Yield the rows of one file in file order; an empty file has none.

    Raises:
        UsageError: the shape is unknown and the policy maps no columns, or the policy names what does not exist.
        EvaluationError: the file or a row cannot be read; at ``path:line``.
    """
    return read_rows_at(content, path, spec, every_line, containers, shapes)


def read_rows_at(
    content: Content,
    path: str,
    spec: DatasetSpec,
    wanted: Callable[[int], bool],
    containers: Mapping[str, Container],
    shapes: Mapping[str, Shape],
) -> Iterator[Row]:
    """As `read_rows`, only the rows at ``wanted`` lines, which are asked for in ascending order.

    Other lines are not parsed where the container can pass them over.
    """
    named, given = _names(spec, containers, shapes)
    records = _records(content, path, named, wanted, containers)
    first = next(records, None)
    if first is None:
        return
    shape = shapes[given] if given else _shape_of(first, path, spec, shapes)
    for record in chain([first], records):
        if wanted(record.line):
            yield _row(fields_of(record, path, spec.columns), shape)


def every_line(line: int) -> bool:
    """What is wanted where nothing is left out."""
    del line
    return True


def read_records(
    content: Content,
    path: str,
    spec: DatasetSpec,
    containers: Mapping[str, Container],
    wanted: Callable[[int], bool] = every_line,
) -> Iterator[Record]:
    """Yield what a file holds at ``wanted`` lines, parsed but not shaped; for a JSON Schema of rows."""
    records = _records(content, path, _named(spec, containers), wanted, containers)
    return (record for record in records if wanted(record.line))


def container_of(bare: str, spec: DatasetSpec, containers: Mapping[str, Container]) -> Container:
    """Return what holds the records of a file; ``bare`` is its path without the suffix of a compression."""
    named = _named(spec, containers)
    return containers[named] if named else _container_of(bare, bare, containers)


def _named(spec: DatasetSpec, containers: Mapping[str, Container]) -> str:
    return next((name for name in spec.format.split("+") if name in containers), "")


def _records(
    content: Content, path: str, named: str, wanted: Callable[[int], bool], containers: Mapping[str, Container]
) -> Iterator[Record]:
    inside, bare = opened(content, path)
    container = containers[named] if named else _container_of(bare, path, containers)
    if isinstance(container, Streaming):
        return container.streamed(pieces_of(inside), path, wanted)
    return container.records(whole(inside), path)


def _container_of(bare: str, path: str, containers: Mapping[str, Container]) -> Container:
    for container in containers.values():
        if bare.lower().endswith(container.SUFFIXES):
            return container
    known = ", ".join(suffix for container in containers.values() for suffix in container.SUFFIXES)
    remedy = f"known are {known}, each also with .gz or .zst; rename it, exclude it, or name a container in 'format'"
    raise malformed(path, 0, "no reader knows this suffix", remedy)


def _names(spec: DatasetSpec, containers: Iterable[str], shapes: Iterable[str]) -> tuple[str, str]:
    """Return the container and the shape that ``format`` names; an empty name leaves it to the file."""
    if spec.format == "auto":
        return "", ""
    parts = spec.format.split("+")
    named = [part for part in parts if part in set(containers)]
    given = [part for part in parts if part in set(shapes)]
    if len(named) > 1 or len(given) > 1 or len(named) + len(given) != len(parts):
        remedy = f"write auto, a container ({', '.join(containers)}), a shape ({', '.join(shapes)}), or both with a +"
        raise UsageError(f"no format {quoted(spec.format)}", where=spec.origin or spec.name, remedy=remedy)
    return "".join(named), "".join(given)


def _shape_of(first: Record, path: str, spec: DatasetSpec, shapes: Mapping[str, Shape]) -> Shape:
    roles = {role for role, _ in spec.columns}
    candidates = [shape for shape in shapes.values() if roles <= set(shape.COLUMNS)]
    if not candidates:
        known = sorted({name for shape in shapes.values() for name in shape.COLUMNS})
        remedy = f"the names to the left of = are fields of one shape: {', '.join(known)}"
        what = f"no row shape has the fields {listed(sorted(roles))} together"
        raise UsageError(what, where=spec.origin or spec.name, remedy=remedy)
    values = fields_of(first, path, spec.columns).values
    for shape in candidates:
        if shape.matches(values):
            return shape
    if len(candidates) == 1 and roles and roles <= set(values):
        return candidates[0]  # the mapped names can mean no other shape, whose reader says what is wrong with the row
    raise _unknown_shape(first, path, spec)


def _unknown_shape(first: Record, path: str, spec: DatasetSpec) -> UsageError:
    value = first.value if isinstance(first.value, dict) else {}
    where = f"{printable(path)}:{first.line}"
    keys = f"its columns are {listed(str(key) for key in value)}"
    remedy = f"say in the dataset's policy entry what is trained, for example: {suggestion(value)}"
    if spec.columns:
        return UsageError(f"the policy's columns make no row of this one; {keys}", where=where, remedy=remedy)
    return UsageError(f"the row has no known shape; {keys}", where=where, remedy=remedy)


def _row(fields: Fields, shape: Shape) -> Row:
    row = shape.row(fields)
    try:
        for text in (row.tools, *(turn.content for turn in row.turns)):
            text.encode("utf-8")
    except UnicodeEncodeError as error:
        code = f"\\u{ord(error.object[error.start]):04x}"
        what = f"the row holds half of a surrogate pair ({code}), which no tokenizer can read"
        raise malformed(fields.path, fields.line, what, "repair the text") from error
    return row
