"""Prompts as trees of tokens: what several of them begin with is run once, and nothing is padded between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from d2b_gate.backends.hf.asking import Asked

CPU_ROW = 256
"""Tokens of one tree on a CPU: more share more, but each attends to a mask of all, whose size grows with the square."""
GPU_ROW = 1024


@dataclass(slots=True)
class Tree:
    """A prefix tree laid out as one sequence, parents before children.

    Token ``ids[n]`` follows token ``parents[n]`` (-1 for a first one) at depth ``positions[n]``. ``reads`` holds
    (parent, token, prompt, continuation): the logits at the parent tell how likely the token is.
    """

    ids: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    reads: list[tuple[int, int, int, int]] = field(default_factory=list)
    _places: dict[tuple[int, int], int] = field(default_factory=dict)

    @property
    def prompt(self) -> int:
        """The prompt of a tree of one."""
        return self.reads[0][2]

    def add(self, prompt: int, asked: Asked) -> None:
        """Put a prompt in; ``prompt`` is what its reads are called by."""
        start = self._path(asked.prefix)
        for number, continuation in enumerate(asked.continuations):
            self._read(start, continuation, prompt, number)

    def follow(self, prompt: int, asked: Asked, number: int) -> None:
        """Put one continuation of a prompt in."""
        self._read(self._path(asked.prefix), asked.continuations[number], prompt, number)

    def more(self, asked: Asked) -> int:
        """How many tokens a prompt would add."""
        return sum(1 for path in _paths(asked) if not self._knows(path))

    def _path(self, tokens: Sequence[int]) -> int:
        node = -1
        for token in tokens:
            node = self._child(node, token)
        return node

    def _read(self, node: int, continuation: Sequence[int], prompt: int, number: int) -> None:
        for place, token in enumerate(continuation):
            self.reads.append((node, token, prompt, number))
            if place + 1 < len(continuation):  # nothing is read behind the last token
                node = self._child(node, token)

    def _child(self, parent: int, token: int) -> int:
        known = self._places.get((parent, token))
        if known is not None:
            return known
        self.ids.append(token)
        self.parents.append(parent)
        self.positions.append(self.positions[parent] + 1 if parent >= 0 else 0)
        self._places[parent, token] = len(self.ids) - 1
        return len(self.ids) - 1

    def _knows(self, path: tuple[int, ...]) -> bool:
        node = -1
        for token in path:
            known = self._places.get((node, token))
            if known is None:
                return False
            node = known
        return True


def _paths(asked: Asked) -> Iterator[tuple[int, ...]]:
    """Every token that must be run, by the path to it."""
    seen: set[tuple[int, ...]] = set()
    for path in ((*asked.prefix, *continuation[:-1]) for continuation in asked.continuations):
        for end in range(1, len(path) + 1):
            if path[:end] not in seen:
                seen.add(path[:end])
                yield path[:end]


def trees(asked: Sequence[Asked], most: int) -> list[Tree]:
    """Lay prompts out in trees of about ``most`` tokens; a prompt that is longer has a tree of its own.

    Prompts that begin alike come into one tree, in an order that depends on their tokens alone.
    """
    order = sorted(range(len(asked)), key=lambda i: (asked[i].prefix, asked[i].continuations))
    grown: list[Tree] = []
    for prompt in order:
        if not grown or len(grown[-1].ids) + grown[-1].more(asked[prompt]) > most:
            grown.append(Tree())
        grown[-1].add(prompt, asked[prompt])
    return grown


def tree_of(asked: Asked, prompt: int = 0) -> Tree:
    """One prompt as a tree of its own."""
    tree = Tree()
    tree.add(prompt, asked)
    return tree


def paths(asked: Asked, prompt: int) -> list[Tree]:
    """One prompt as trees without branches, a continuation in each; those that differ in the last token share one."""
    grown: dict[tuple[int, ...], Tree] = {}
    for number, continuation in enumerate(asked.continuations):
        grown.setdefault(continuation[:-1], Tree()).follow(prompt, asked, number)
    return list(grown.values())


def branched(grown: Sequence[Tree], asked: Sequence[Asked], most: int) -> tuple[list[Tree], list[Tree]]:
    """Part trees into those of at most ``most`` tokens, and the prompts of the others as paths."""
    kept = [tree for tree in grown if len(tree.ids) <= most]
    rest = sorted({read[2] for tree in grown if len(tree.ids) > most for read in tree.reads})
    return kept, [path for prompt in rest for path in paths(asked[prompt], prompt)]
