"""Reading one table of a probe file by hand: typed fields, and every problem with its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.errors import GateError, PolicyError, UsageError
from d2b_gate.core.suggest import did_you_mean, nearest
from d2b_gate.probes.toml import place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

HEADER = frozenset(
    {"schema", "id", "kind", "title", "description", "unit", "range", "language", "citation"},
)
"""Keys of every probe file; a kind adds its own."""


class Form:
    """The fields of one table, and what is wrong with them so far."""

    def __init__(self, table: Mapping[str, object], where: str, problems: list[GateError] | None = None) -> None:
        self._table = table
        self._where = where
        self.problems: list[GateError] = [] if problems is None else problems

    def wrong(self, what: str, key: str = "", remedy: str = "") -> None:
        """Note a problem at a key's line, or at the table's."""
        self.problems.append(UsageError(what, where=place(self._table, self._where, key), remedy=remedy))

    def done(self) -> None:
        """Raise PolicyError if anything was wrong."""
        if self.problems:
            raise PolicyError(self.problems)

    def has(self, key: str) -> bool:
        """Whether the table has the key."""
        return key in self._table

    def only(self, known: Collection[str]) -> None:
        """Note keys that nobody reads."""
        for key in self._table:
            if key not in known:
                self.wrong(f"unknown key {key!r}", key, did_you_mean(key, known))

    def text(self, key: str, most: int, default: str | None = None) -> str:
        """A string of 1 to ``most`` characters without blanks at its ends; ``default`` where the key is absent."""
        if key not in self._table and default is not None:
            return default
        value = self._table.get(key)
        if fault := _text_fault(value, most):
            self.wrong(f"{key!r} {fault}", key)
            return ""
        return str(value)

    def texts(self, key: str, most: int) -> tuple[str, ...]:
        """A list of strings, each as in `text`."""
        value = self._table.get(key)
        if not isinstance(value, list):
            self.wrong(f"{key!r} must be a list of strings", key)
            return ()
        for index, entry in enumerate(value, start=1):
            if fault := _text_fault(entry, most):
                self.wrong(f"{key!r}: entry {index} {fault}", key)
                return ()
        return tuple(value)

    def choice(self, key: str, options: Collection[str], default: str | None = None) -> str:
        """One of a closed set of words."""
        if key not in self._table and default is not None:
            return default
        value = self._table.get(key)
        if isinstance(value, str) and value in options:
            return value
        shown = f"not {value!r}" if key in self._table else "but it is missing"
        self.wrong(f"{key!r} must be one of {', '.join(sorted(options))}, {shown}", key, nearest(str(value), options))
        return ""

    def flag(self, key: str) -> bool:
        """A boolean; false where the key is absent."""
        value = self._table.get(key, False)
        if not isinstance(value, bool):
            self.wrong(f"{key!r} must be true or false", key)
        return value is True

    def pair(self, key: str) -> tuple[float, float]:
        """Two finite numbers, the smaller first."""
        value = self._table.get(key)
        if isinstance(value, list) and len(value) == len(numbers := [item for item in value if _is_number(item)]) == 2:
            low, high = map(float, numbers)
            if low < high:
                return low, high
        self.wrong(f"{key!r} must be two numbers, [low, high], with low under high", key)
        return 0.0, 0.0

    def tables(self, key: str, most: int) -> Iterator[Form]:
        """The entries of an array of tables, 1 to ``most``, as forms that share this one's problems."""
        entries = self._table.get(key)
        if not isinstance(entries, list) or not 1 <= len(entries) <= most:
            self.wrong(f"the file needs 1 to {most} [[{key}]] tables", key)
            return
        for index, entry in enumerate(entries, start=1):
            if isinstance(entry, dict):
                yield Form(entry, self._where, self.problems)
            else:
                self.wrong(f"{key!r}: entry {index} must be a table", key, f"write [[{key}]]")


def _text_fault(value: object, most: int) -> str:
    if value is None:
        return "is missing"
    if not isinstance(value, str):
        return "must be a string"
    if not value.strip():
        return "must not be empty"
    if value != value.strip():
        return "must not begin or end with a blank"
    return f"must not be longer than {most} characters" if len(value) > most else ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")
