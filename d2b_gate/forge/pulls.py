"""Which pull request is meant: asked of the API, and believed only where its head is the commit that was judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.printable import printable
from d2b_gate.forge.event import NoPull, Numbered, OfHead
from d2b_gate.forge.shapes import Pull, many, one

if TYPE_CHECKING:
    from collections.abc import Iterator

    from d2b_gate.forge.api import Api
    from d2b_gate.forge.event import Asked

_SHORT = 7


@dataclass(frozen=True, slots=True)
class Target:
    """An open pull request, and the commit that was judged: its head; empty where nothing said which was judged."""

    number: int
    head: str


def find_pull(api: Api, repository: str, asked: Asked) -> Target | NoPull:
    """The open pull request to write to, or why there is none.

    Raises:
        EvaluationError: there are several, and nothing says which.
    """
    if isinstance(asked, NoPull):
        return asked
    if isinstance(asked, Numbered):
        return _verified(one(Pull, api.get(f"/repos/{repository}/pulls/{asked.number}")), repository, asked.head)
    found = {pull.number: pull for pull in _candidates(api, repository, asked)}
    if len(found) > 1:
        numbers = ", ".join(f"#{number}" for number in sorted(found))
        what = f"the commit {asked.head[:_SHORT]} is the head of several open pull requests: {numbers}"
        raise EvaluationError(what, remedy="name one with --pull-request")
    for pull in found.values():
        return Target(pull.number, asked.head)
    why = f"no open pull request has the head {asked.head[:_SHORT]}: it was closed, or a newer push will comment"
    return NoPull(why, asked.head)


def _candidates(api: Api, repository: str, asked: OfHead) -> Iterator[Pull]:
    """Open pull requests of the commit; where GitHub lists none, as for commits that only a fork has, of the branch."""
    listed = api.pages(f"/repos/{repository}/commits/{asked.head}/pulls")
    found = [pull for page in listed for pull in many(Pull, page) if _is_of(pull, repository, asked.head)]
    if not found:
        query = {"state": "open", "head": f"{asked.owner}:{asked.branch}"}
        listed = api.pages(f"/repos/{repository}/pulls", query)
        found = [pull for page in listed for pull in many(Pull, page) if _is_of(pull, repository, asked.head)]
    yield from found


def _is_of(pull: Pull, repository: str, head: str) -> bool:
    return isinstance(_verified(pull, repository, head), Target)


def _verified(pull: Pull, repository: str, head: str) -> Target | NoPull:
    if pull.state != "open":
        return NoPull(f"pull request #{pull.number} is {printable(pull.state)}", head)
    base = pull.base.repo.full_name if pull.base.repo else ""
    if base.lower() != repository.lower():  # a commit's pull requests can be those of another repository
        return NoPull(f"pull request #{pull.number} is one of {printable(base) or 'another repository'}", head)
    if head and pull.head.sha != head:
        told = f"the head of #{pull.number} is {pull.head.sha[:_SHORT]} by now, and {head[:_SHORT]} was judged"
        return NoPull(f"{told}: a newer push will comment", head)
    return Target(pull.number, head)
