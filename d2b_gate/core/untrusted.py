"""Reading values that nobody vouches for: types checked, sizes bounded, and every refusal says where."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from d2b_gate.core.errors import EvaluationError

T = TypeVar("T")

LONGEST_TEXT = 100_000  # characters; our choice: far past any prompt, far from hurting a renderer
MOST_ITEMS = 100_000  # our choice: one entry per changed file of a very large commit
LARGEST_NUMBER = 1e15  # our choice: past any count, share or nats, and short when printed
LARGEST_INTEGER = 2**53 - 1  # the largest that every JSON reader keeps exactly (RFC 8259, section 6)
PREFIX = "the result cannot be read: "
_SHOWN = 80  # characters of a foreign value quoted in a refusal


@dataclass(frozen=True, slots=True)
class Untrusted:
    """A value and where it stands, such as ``findings[0].status``; every method checks before it returns."""

    value: object
    at: str

    def fields(self, required: str, optional: str = "") -> dict[str, Untrusted]:
        """The members of a table with exactly these keys (names separated by spaces)."""
        table = self.members()
        known = {*required.split(), *optional.split()}
        missing = next((key for key in required.split() if key not in table), None)
        if missing is not None:
            raise refusal(f"the key '{missing}' is missing", self.at)
        unknown = next((key for key in table if key not in known), None)
        if unknown is not None:
            raise refusal(f"the key {quoted(unknown)} is not known", self.at)
        return table

    def members(self) -> dict[str, Untrusted]:
        """The members of a table whose keys are not fixed."""
        if not isinstance(self.value, Mapping):
            raise self._expected("a table")
        self._bounded(len(self.value), MOST_ITEMS, "entries")
        found: dict[str, Untrusted] = {}
        for key, value in self.value.items():
            name = Untrusted(key, self.at).text()
            found[name] = Untrusted(value, f"{self.at}.{name}" if self.at else name)
        return found

    def items(self) -> tuple[Untrusted, ...]:
        """The entries of a list, in order."""
        if not isinstance(self.value, list):
            raise self._expected("a list")
        self._bounded(len(self.value), MOST_ITEMS, "entries")
        return tuple(Untrusted(value, f"{self.at}[{index}]") for index, value in enumerate(self.value))

    def text(self) -> str:
        """A string."""
        if not isinstance(self.value, str):
            raise self._expected("a text")
        self._bounded(len(self.value), LONGEST_TEXT, "characters")
        return self.value

    def texts(self) -> tuple[str, ...]:
        """A list of strings."""
        return tuple(item.text() for item in self.items())

    def truth(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise self._expected("true or false")
        return self.value

    def number(self) -> float:
        """A finite number; true and false are none."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise self._expected("a number")
        if not is_plain(self.value):
            raise refusal("the number is not finite, or is too large", self.at)
        return float(self.value)

    def integer(self) -> int:
        """A whole number that JSON keeps exactly."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise self._expected("a whole number")
        if abs(self.value) > LARGEST_INTEGER:
            raise refusal("the number is too large", self.at)
        return self.value

    def count(self) -> int:
        """A whole number that is not negative."""
        number = self.integer()
        if number < 0:
            raise self._expected("a count, which is never negative")
        return number

    def one_of(self, choices: Mapping[str, T]) -> T:
        """What one of a closed set of names stands for."""
        name = self.text()
        if name not in choices:
            raise self._expected("one of " + ", ".join(choices))
        return choices[name]

    def _expected(self, wanted: str) -> EvaluationError:
        return refusal(f"expected {wanted}, found {quoted(self.value)}", self.at)

    def _bounded(self, size: int, most: int, noun: str) -> None:
        if size > most:
            raise refusal(f"{size} {noun} are more than the {most} that are read", self.at)


def strict_json(content: bytes) -> object:
    """Parse UTF-8 as JSON that every reader understands alike.

    Raises:
        ValueError: it is not, repeats a key, or holds NaN or an infinity.
        RecursionError: it nests too deeply.
    """
    loaded: object = json.loads(content.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    return loaded


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = dict(pairs)
    if len(table) != len(pairs):  # two readers could each believe another one of the two values
        raise ValueError("a key occurs twice")
    return table


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def is_plain(number: float) -> bool:
    """Whether a number is finite and of a size that a result may hold."""
    return abs(number) <= LARGEST_NUMBER  # false for NaN, and safe for integers that no float can hold


def refusal(what: str, at: str) -> EvaluationError:
    """The error for a value that cannot be read."""
    return EvaluationError(
        f"{PREFIX}{what}",
        where=ascii(at[:_SHOWN])[1:-1] or "result",
        remedy="use a file that `d2b-gate check` wrote and nobody edited",
    )


def quoted(value: object) -> str:
    """A foreign value in one short ASCII line."""
    if isinstance(value, str):
        return ascii(value[:_SHOWN])
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        return "a very large number"  # Python refuses to print one of some thousand digits
    if isinstance(value, int | float) or value is None:
        return str(value)
    return "a list" if isinstance(value, list) else "a table" if isinstance(value, Mapping) else type(value).__name__
