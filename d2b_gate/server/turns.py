"""Whose turn it is: owners in the order in which they have waited since their last turn, and of each its oldest job."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Ref(NamedTuple):
    """A job: whose, and which."""

    owner: str
    name: str


def in_turn(waiting: Iterable[Ref], last_turn: Mapping[str, int]) -> list[Ref]:
    """The order in which jobs will run: ``waiting`` is in the order of arrival, ``last_turn`` counts turns upwards.

    An owner that never had a turn goes before all that had; of two of those, the one whose job came first.
    """
    queues: dict[str, list[Ref]] = {}
    for ref in waiting:
        queues.setdefault(ref.owner, []).append(ref)
    turns = {owner: (last_turn.get(owner, 0), place) for place, owner in enumerate(queues)}
    later = max((turn for turn, _ in turns.values()), default=0)
    order: list[Ref] = []
    while queues:
        owner = min(queues, key=lambda one: turns[one])
        order.append(queues[owner].pop(0))
        later += 1
        turns[owner] = (later, 0)
        if not queues[owner]:
            del queues[owner]
    return order
