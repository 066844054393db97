"""The sticky comment on a pull request: found, created, updated in place, and one in the end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from d2b_gate.forge.api import created
from d2b_gate.forge.refusals import StatusError
from d2b_gate.forge.shapes import Comment, many, one
from d2b_gate.forge.sticky import Plan, Step, decide

if TYPE_CHECKING:
    from d2b_gate.forge.api import Api

_GONE = (404, 410)


@dataclass(frozen=True, slots=True)
class Conversation:
    """The comments of one pull request, and who we are."""

    api: Api
    repository: str
    number: int
    author: str

    @property
    def path(self) -> str:
        """Where its comments are."""
        return f"/repos/{self.repository}/issues/{self.number}/comments"


def plan(talk: Conversation, body: str, *, worth_it: bool) -> Plan:
    """Look what is there, and say what is to be done; changes nothing."""
    pages = talk.api.pages(talk.path)
    return decide((comment for page in pages for comment in many(Comment, page)), talk.author, body, worth_it=worth_it)


def carry_out(talk: Conversation, todo: Plan, body: str) -> Comment | None:
    """Do what was planned: the comment that stands in the end, none where none is wanted."""
    if todo.step is Step.NOTHING:
        return None
    if todo.step is Step.CREATE:
        return _create(talk, body)
    kept = todo.ours[0] if todo.step is Step.KEEP else _update(talk, todo.ours[0], body)
    for other in todo.ours[1:]:
        _remove(talk, other)
    return kept


def _create(talk: Conversation, body: str) -> Comment:
    """Create it; if another run was first, its comment is brought up to date and ours goes."""
    made = created(
        talk.api,
        lambda: one(Comment, talk.api.send("POST", talk.path, {"body": body})),
        lambda: list(plan(talk, body, worth_it=True).ours),
    )
    # the answer says who the token really writes as, which for an app of one's own was only supposed
    found = plan(replace(talk, author=made.author or talk.author), body, worth_it=True)
    first = found.ours[0] if found.ours else made
    kept = _update(talk, first, body) if found.step is Step.UPDATE else first
    if made.id != first.id:
        _remove(talk, made)
    return kept


def _update(talk: Conversation, comment: Comment, body: str) -> Comment:
    return one(Comment, talk.api.send("PATCH", _of(talk, comment), {"body": body}))


def _remove(talk: Conversation, comment: Comment) -> None:
    try:
        talk.api.send("DELETE", _of(talk, comment))
    except StatusError as error:
        if error.status not in _GONE:  # another run has folded it already
            raise


def _of(talk: Conversation, comment: Comment) -> str:
    return f"/repos/{talk.repository}/issues/comments/{comment.id}"
