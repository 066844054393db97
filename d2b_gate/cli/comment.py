"""`comment`: a saved result, which is untrusted, as the one comment on a pull request."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.comment_check import check_of
from d2b_gate.cli.console import say, show
from d2b_gate.cli.forge_place import forge_place
from d2b_gate.cli.report import read_result
from d2b_gate.core.errors import Exit
from d2b_gate.core.printable import printable
from d2b_gate.forge.api import Api
from d2b_gate.forge.checks import earlier_check, publish_check
from d2b_gate.forge.comments import Conversation, carry_out, plan
from d2b_gate.forge.event import NoPull
from d2b_gate.forge.identity import own_login
from d2b_gate.forge.pulls import find_pull
from d2b_gate.forge.sticky import Step, body_of
from d2b_gate.forge.timing import Budget, Timing
from d2b_gate.registry import load
from d2b_gate.reports.describe import is_plainly_ok
from d2b_gate.reports.interface import RenderOptions

if TYPE_CHECKING:
    from argparse import Namespace

    from d2b_gate.cli.forge_place import Place
    from d2b_gate.core.verdict import Verdict
    from d2b_gate.forge.checks import Check
    from d2b_gate.forge.pulls import Target
    from d2b_gate.forge.shapes import Comment
    from d2b_gate.forge.sticky import Plan

_DONE = {Step.CREATE: "created", Step.UPDATE: "updated", Step.KEEP: "left as it is, for it says the same:"}
_WOULD = {
    Step.CREATE: "would create a comment",
    Step.UPDATE: "would update the comment",
    Step.KEEP: "would leave the comment, for it says the same",
    Step.NOTHING: "would write nothing: the verdict is clean and no comment is there",
}


def run_comment(arguments: Namespace) -> int:
    """Run `comment`."""
    place = forge_place(arguments)
    verdict = read_result(Path(arguments.result))
    api = Api(place.root, place.token, Budget(arguments.timeout, Timing()))
    target = find_pull(api, place.repository, place.asked)
    if arguments.check_run:
        name, key = arguments.check_name, _key(arguments, verdict)
        check = check_of(verdict, name, key, target.head, _report(verdict))
        _check(api, place, replace(check, url=place.run_url), arguments)
    if isinstance(target, NoPull):
        _tell(arguments, f"no comment: {target.why}")
    else:
        _comment(api, place, target, verdict, arguments)
    return int(Exit.OK)


def _report(verdict: Verdict) -> str:
    return str(load("reports", "markdown").render(verdict, RenderOptions()))


def _key(arguments: Namespace, verdict: Verdict) -> str:
    return str(arguments.key or verdict.provenance.policy_path)


def _check(api: Api, place: Place, check: Check, arguments: Namespace) -> None:
    if not check.head:
        _tell(arguments, "no check run: nothing says which commit was judged; name it with --commit")
        return
    where = f"{check.conclusion} on {place.repository} at {check.head[:7]}"
    if earlier_check(api, place.repository, check, arguments.author or own_login(api)):
        _tell(arguments, f"the check run is left as it is, for it says the same: {where}")
    elif arguments.dry_run:
        _tell(arguments, f"would create a check run: {where}")
    else:
        publish_check(api, place.repository, check)
        _tell(arguments, f"the check run is created: {where}")


def _comment(api: Api, place: Place, target: Target, verdict: Verdict, arguments: Namespace) -> None:
    body = body_of(_key(arguments, verdict), _report(verdict), target.head, place.run_url)
    talk = Conversation(api, place.repository, target.number, arguments.author or own_login(api))
    todo = plan(talk, body, worth_it=arguments.always or has_something_to_say(verdict))
    if arguments.dry_run:
        _tell(arguments, f"{_WOULD[todo.step]} on {place.repository}#{target.number} as {printable(talk.author)}")
        show(body if todo.step in (Step.CREATE, Step.UPDATE) else "")
        return
    stands = carry_out(talk, todo, body)
    _tell(arguments, _told(todo, stands, f"{place.repository}#{target.number}"))
    if stands is not None and stands.author.lower() != talk.author.lower():
        _tell(arguments, f"this token writes as {printable(stands.author)}: name it with --author, so that it is known")


def has_something_to_say(verdict: Verdict) -> bool:
    """Whether anybody should look: anything but a clean verdict, and any edit of the policy."""
    return not is_plainly_ok(verdict) or bool(verdict.policy_changes)


def _told(todo: Plan, comment: Comment | None, where: str) -> str:
    if comment is None:
        return f"no comment: the verdict is clean and {where} has none yet (--always posts one)"
    return f"the comment on {where} is {_DONE[todo.step]} {printable(comment.html_url)}".rstrip()


def _tell(arguments: Namespace, text: str) -> None:
    if not arguments.quiet:
        say(text)
