"""Which two commits a run of GitHub Actions compares, and whether it may: git is asked, the event is not believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from d2b_gate.core.errors import UsageError
from d2b_gate.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from d2b_gate.sources.checkout import Checkout
    from d2b_gate.sources.runner_event import RunnerEvent

Trust = Literal["protected", "queue", "branch", "pull", "fork"]
"""Who could have written what a run works on; stores are kept apart by it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the workflow asks: ``structure`` runs no model, so that it may see a fork's rows."""

    mode: Literal["evaluate", "structure"] = "evaluate"
    forks: Literal["refuse", "evaluate"] = "refuse"
    base: str = ""  # a branch or commit, of workflow_dispatch alone


@dataclass(frozen=True, slots=True)
class Compared:
    """Commit ids; ``base`` is all zeros where there was nothing before."""

    base: str
    head: str
    trust: Trust


def compared(event: RunnerEvent, checkout: Checkout, asked: Asked) -> Compared:
    """Return what to compare.

    Raises:
        UsageError: the event is one that must not be judged, or the checkout is not the state that it is about.
    """
    if reason := _NEVER.get(event.name):
        raise UsageError(f"{event.name} is refused: {reason}", remedy="use the event pull_request")
    by_event = _BASES.get(event.name)
    if by_event is None:
        known = ", ".join(_BASES)
        raise UsageError(f"the event {printable(event.name)!r} says no base to compare with", remedy=f"use {known}")
    if asked.base and event.name != "workflow_dispatch":
        raise UsageError(f"the input 'base' is refused on {event.name}", remedy="give it on workflow_dispatch alone")
    _refuse_fork(event, asked)
    head = checkout.head()
    base = by_event(event, checkout, head, asked)
    return Compared(base, head, _trust(event))


_NEVER = {
    "pull_request_target": "it gives a pull request's content the base branch's token, secrets and cache",
    "workflow_run": "it gives what another run left the default branch's token, secrets and cache",
}


def _refuse_fork(event: RunnerEvent, asked: Asked) -> None:
    if event.is_from_a_fork and asked.mode == "evaluate" and asked.forks == "refuse":
        raise UsageError(
            "this pull request comes from a fork, and its rows are not evaluated on this runner",
            remedy="let 'mode: structure' see it on a hosted runner, and evaluate a branch of this repository "
            "once a maintainer has read the rows",
        )


def _pull_request(event: RunnerEvent, checkout: Checkout, head: str, _: Asked) -> str:
    """The first parent of the merge that GitHub made: on a head checkout that would be the pull request's own."""
    parents = checkout.parents(head)
    if len(parents) != 2 or parents[1] != event.text("pull_request", "head", "sha"):
        raise UsageError(
            f"the checkout ({head[:7]}) is not the merge of this pull request into its base, so its first parent is "
            "no state that anybody approved",
            remedy="drop 'ref:' from actions/checkout and give it 'fetch-depth: 2'",
        )
    base, branch = parents[0], event.text("pull_request", "base", "ref")
    if not branch or not checkout.is_on_branch(base, branch):  # the event is as old as its first run
        what = f"the first parent of the merge ({base[:7]}) is not on the base branch {printable(branch)!r}"
        raise UsageError(what, remedy="run the job again from the pull request")
    return checkout.bring(base)


def _merge_group(event: RunnerEvent, checkout: Checkout, head: str, _: Asked) -> str:
    """What the queue builds on: the base branch, or the group before."""
    _same(head, event.text("merge_group", "head_sha"), "the merge group")
    return checkout.bring(event.text("merge_group", "base_sha"))


def _push(event: RunnerEvent, checkout: Checkout, head: str, _: Asked) -> str:
    """What the branch held before; a branch that is new grew from the default branch.

    After a forced push the state before is still what the branch held. Where the server no longer has it, a feature
    branch is compared as a new one is, and the default branch is refused: nothing says what stood there.
    """
    _same(head, event.text("after"), "the push")
    before, default = event.text("before"), event.default_branch
    is_default = event.ref == f"refs/heads/{default}"
    if before.strip("0"):
        try:
            return checkout.bring(before)
        except UsageError as error:
            if is_default:
                what = f"what {printable(default)!r} held before this forced push ({before[:7]}) is gone"
                remedy = "run the workflow by hand (workflow_dispatch) with 'base' set to a commit that was approved"
                raise UsageError(what, remedy=remedy) from error
    elif is_default:
        return _nothing(head)
    return _fork_point(checkout, head, default)


def _workflow_dispatch(event: RunnerEvent, checkout: Checkout, head: str, asked: Asked) -> str:
    """The input, or on the default branch the commit before, or where the branch left the default branch."""
    if asked.base:
        return _approved(_named(asked.base, checkout), checkout, head, event.default_branch)
    if event.ref != f"refs/heads/{event.default_branch}":
        return _fork_point(checkout, head, event.default_branch)
    parents = checkout.parents(head)
    return checkout.bring(parents[0]) if parents else _nothing(head)


def _named(base: str, checkout: Checkout) -> str:
    if len(base) in (40, 64) and not set(base) - set("0123456789abcdef"):
        return base
    found = checkout.tip(base)
    if not found:
        what = f"the repository has no branch {printable(base)!r}"
        raise UsageError(what, remedy="give 'base' a branch or a full commit id")
    return found


def _approved(base: str, checkout: Checkout, head: str, default: str) -> str:
    """The base, if it is a state that was merged: who starts a run could else name one of their own."""
    if base == head:
        raise UsageError(
            f"'base' is the very commit that is judged ({head[:7]}), so nothing would be",
            remedy="give it a commit before that, or leave it empty",
        )
    if not default or not checkout.is_on_branch(base, default):
        raise UsageError(
            f"'base' ({base[:7]}) is not on the default branch {printable(default)!r}, so nobody approved its policy",
            remedy="give it a commit of that branch, or leave it empty",
        )
    return checkout.bring(base)


def _fork_point(checkout: Checkout, head: str, default: str) -> str:
    base = checkout.merge_base(head, default) if default else ""
    if not base:
        what = f"this branch shares no commit with the default branch {printable(default)!r}"
        raise UsageError(what, remedy="run the workflow by hand (workflow_dispatch) with 'base'")
    return checkout.bring(base)


def _same(head: str, wanted: str, of: str) -> None:
    if head != wanted:
        what = f"the checkout ({head[:7]}) is not the commit of {of} ({printable(wanted)[:7]})"
        raise UsageError(what, remedy="drop 'ref:' from actions/checkout, and change nothing before this step")


def _nothing(head: str) -> str:
    """The ref with which git says that there was no commit."""
    return "0" * len(head)


_BASES: Mapping[str, Callable[[RunnerEvent, Checkout, str, Asked], str]] = {
    "pull_request": _pull_request,
    "merge_group": _merge_group,
    "push": _push,
    "workflow_dispatch": _workflow_dispatch,
}


def _trust(event: RunnerEvent) -> Trust:
    if event.is_from_a_fork:
        return "fork"
    if event.name == "pull_request":
        return "pull"
    if event.name == "merge_group":
        return "queue"
    return "protected" if event.protected else "branch"
