"""What a container and a row shape are: modules that satisfy these protocols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from d2b_gate.formats.errors import malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from d2b_gate.core.errors import EvaluationError
    from d2b_gate.core.rows import Row


@dataclass(frozen=True, slots=True)
class Record:
    """One parsed but unshaped element of a file; ``line`` is its first line, or its number in a columnar file."""

    value: object
    line: int


class Container(Protocol):
    """How a file holds records; a module of `formats.containers` is one.

    ``records`` yields in file order, gets decompressed bytes, checks its bounds before it parses, and raises
    `EvaluationError` at ``path:line``.

    A container of text may have a function ``without(content, path, gone)``, too: the content less the records of these
    numbers (counted from 0, as ``records`` yields them), every other byte as it was. See `Cuttable`. One that can read
    its file piece by piece has a function ``streamed``. See `Streaming`.
    """

    SUFFIXES: tuple[str, ...]

    def records(self, content: bytes, path: str) -> Iterator[Record]:
        """Parse ``content``."""


@runtime_checkable
class Streaming(Protocol):
    """A container that reads a large file piece by piece; another one is given all of its bytes."""

    def streamed(self, pieces: Iterator[bytes], path: str, wanted: Callable[[int], bool]) -> Iterator[Record]:
        """As `Container.records`, but records at lines that are not ``wanted`` may be left out, save the first.

        ``wanted`` is asked for lines in ascending order.
        """


@runtime_checkable
class Cuttable(Protocol):
    """A container that records can be taken out of."""

    def without(self, content: bytes, path: str, gone: Collection[int]) -> bytes:
        """Return ``content`` less these records."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The named values of one record, after the policy's ``columns``; a null is an absent field."""

    values: Mapping[str, object]
    path: str
    line: int

    def text(self, name: str) -> str:
        """Return a field that must be there and be text."""
        value = self.values.get(name)
        if isinstance(value, str):
            return value
        raise self.error(f"the field '{name}' {'is missing' if value is None else f'is {kind_of(value)}, not text'}")

    def text_or_empty(self, name: str) -> str:
        """Return a text field, or the empty text where the row has none."""
        return self.text(name) if name in self.values else ""

    def error(self, what: str) -> EvaluationError:
        """Return the error that refuses this row."""
        return malformed(self.path, self.line, what, "all rows of a file need the shape of its first row; repair it")


class Shape(Protocol):
    """How a record becomes a row; a module of `formats.shapes` is one.

    ``COLUMNS`` are the names a policy's ``columns`` may map for it. ``matches`` decides on the first record of a file;
    ``row`` raises `Fields.error` for a record that does not fit, and never quotes its text.
    """

    NAME: str
    COLUMNS: tuple[str, ...]

    def matches(self, values: Mapping[str, object]) -> bool:
        """Whether a file whose first record has these values has this shape."""

    def row(self, fields: Fields) -> Row:
        """Turn one record into a row."""


def kind_of(value: object) -> str:
    """Name a JSON type as a person would."""
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return "null" if value is None else names.get(type(value), f"of type {type(value).__name__}")
