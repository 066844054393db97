"""Rows of training data: what they say, where they stand, and how two sets of them differ."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Turn:
    """One part of a row. ``role`` is system, user, assistant, tool, or ``text`` for raw language-modelling text.

    ``trained`` says whether the SFT loss falls on this turn's tokens.
    """

    role: str
    content: str
    trained: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One training example. ``key`` is the sha256 of the canonical content; path and line never enter identity."""

    key: str
    turns: tuple[Turn, ...]
    tools: str = ""  # canonical JSON of the tool definitions the template is given; empty where there are none
    path: str = ""
    line: int = 0  # 1-based line of the row's first byte; the element number for columnar files

    @property
    def where(self) -> str:
        """``path:line``."""
        return f"{self.path}:{self.line}"

    @property
    def trains(self) -> bool:
        """Whether any token of the row is trained on; a preference row labelled false, for one, is not."""
        return any(turn.trained for turn in self.turns)


def make_row(turns: Sequence[Turn], *, tools: str = "", path: str = "", line: int = 0) -> Row:
    """Build a row and its key."""
    return Row(key=row_key(turns, tools), turns=tuple(turns), tools=tools, path=path, line=line)


def row_key(turns: Sequence[Turn], tools: str = "") -> str:
    """Return the sha256 (hex) of the row's canonical content: two files that train alike have equal keys."""
    canonical = [[turn.role, turn.content, turn.trained] for turn in turns]
    text = _CANONICAL.encode([canonical, tools])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


_CANONICAL = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class RowRef:
    """Where a row stands, without its text: enough to count, compare, sample and point at it."""

    key: str
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class RowDiff:
    """A change as multisets of rows. Duplicates count as often as they occur. Each part is sorted by path, line.

    Parts of many rows lie on disk: see `core.row_lists` for what can be asked of them without holding them.
    """

    added: Sequence[RowRef]
    removed: Sequence[RowRef]
    kept: Sequence[RowRef]  # head-side positions

    @property
    def empty(self) -> bool:
        """Whether the change leaves the multiset of rows as it was."""
        return not self.added and not self.removed

    @property
    def before_count(self) -> int:
        """Rows in the base state."""
        return len(self.kept) + len(self.removed)

    @property
    def after_count(self) -> int:
        """Rows in the head state."""
        return len(self.kept) + len(self.added)


def diff_rows(before: Iterable[RowRef], after: Iterable[RowRef]) -> RowDiff:
    """Compare two states as multisets of keys; a moved or re-ordered row is no change.

    Of a row that occurs more often in one state, the first occurrences in a file that has it in both states are kept,
    so that no row of an unchanged file counts as added or removed because another file got a copy of it.
    """
    before, after = list(before), list(after)
    shared = Counter(ref.key for ref in before) & Counter(ref.key for ref in after)
    at_home = Counter((ref.key, ref.path) for ref in before) & Counter((ref.key, ref.path) for ref in after)
    added, kept = _split(after, Counter(shared), Counter(at_home))
    removed, _ = _split(before, Counter(shared), Counter(at_home))
    return RowDiff(added=file_order(added), removed=file_order(removed), kept=file_order(kept))


def _split(
    refs: list[RowRef], shared: Counter[str], at_home: Counter[tuple[str, str]]
) -> tuple[list[RowRef], list[RowRef]]:
    """Part ``refs`` into those beyond the shared count and those within it. Consumes the counts."""
    stays = [_taken(at_home, (ref.key, ref.path)) and _taken(shared, ref.key) for ref in refs]
    within = [stay or _taken(shared, ref.key) for ref, stay in zip(refs, stays, strict=True)]
    beyond = [ref for ref, inside in zip(refs, within, strict=True) if not inside]
    return beyond, [ref for ref, inside in zip(refs, within, strict=True) if inside]


def _taken(left: Counter[T], one: T) -> bool:
    """Take one of what is left, if any is."""
    if left[one] <= 0:
        return False
    left[one] -= 1
    return True


def file_order(refs: Iterable[RowRef]) -> tuple[RowRef, ...]:
    """The rows in the order in which they stand in their files."""
    return tuple(sorted(refs, key=lambda ref: (ref.path, ref.line, ref.key)))


def row_to_mapping(row: Row) -> Mapping[str, object]:
    """Return the row's content (not its position) as JSON-ready values; `row_from_mapping` is its inverse."""
    return {"turns": [[turn.role, turn.content, turn.trained] for turn in row.turns], "tools": row.tools}


def row_from_mapping(mapping: Mapping[str, object]) -> Row:
    """Rebuild a row from `row_to_mapping`'s value."""
    turns = mapping["turns"]
    tools = mapping["tools"]
    if not isinstance(turns, list) or not isinstance(tools, str):
        raise TypeError("not a stored row")
    return make_row([Turn(str(role), str(content), bool(trained)) for role, content, trained in turns], tools=tools)
