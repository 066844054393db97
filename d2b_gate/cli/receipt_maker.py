"""Which run of CI makes a receipt, by the environment that the runner sets; and where none may be made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.cli.context import in_ci
from d2b_gate.core.errors import UsageError
from d2b_gate.core.printable import printable
from d2b_gate.core.receipt import CI, LOCAL, Maker, is_commit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from d2b_gate.core.verdict import Verdict

_EVENTS = ("merge_group", "pull_request", "push", "schedule", "workflow_dispatch")
"""Events whose runs judge a commit themselves; any other run could only sign what it was handed."""


def maker_of(verdict: Verdict, environment: Mapping[str, str]) -> Maker:
    """Who makes a receipt of this verdict.

    Raises:
        UsageError: CI is asked to vouch for what is not its own run's commit.
    """
    if not in_ci():
        return Maker(LOCAL)
    maker, commit = _github(environment) if environment.get("GITHUB_RUN_ID") else _gitlab(environment)
    if not maker.repository or not maker.run:
        return Maker(LOCAL)
    if environment.get("GITHUB_RUN_ID") and maker.event not in _EVENTS:
        what = f"a run of the event {printable(maker.event)!r} vouches for no result: it did not judge it"
        raise UsageError(what, remedy=f"create the receipt in the job that judges, in {', '.join(_EVENTS)}")
    _require_own(verdict.provenance.commit, commit)
    return maker


def _require_own(judged: str, own: str) -> None:
    if not is_commit(judged):
        remedy = "judge a range in CI, with --from-ref and --to-ref"
        raise UsageError("the result is of no commit, so CI cannot vouch for it", remedy=remedy)
    if judged != own:
        what = f"the result is of the commit {judged[:12]}, and this run is of {printable(own[:12]) or '(none)'}"
        raise UsageError(what, remedy="create the receipt in the job that judges, from what it has just written")


def _github(environment: Mapping[str, str]) -> tuple[Maker, str]:
    def of(name: str) -> str:
        return environment.get(f"GITHUB_{name}", "")

    repository, run = of("REPOSITORY"), of("RUN_ID")
    server = of("SERVER_URL")
    maker = Maker(
        CI,
        repository=repository,
        run=run,
        attempt=of("RUN_ATTEMPT"),
        event=of("EVENT_NAME"),
        ref=of("REF"),
        workflow=of("WORKFLOW_REF"),
        url=f"{server}/{repository}/actions/runs/{run}" if server else "",
    )
    return maker, of("SHA")


def _gitlab(environment: Mapping[str, str]) -> tuple[Maker, str]:
    """Any other CI is as good as one that says which run this is; GitLab's names are understood too."""

    def of(name: str) -> str:
        return environment.get(f"CI_{name}", "")

    maker = Maker(
        CI,
        repository=of("PROJECT_PATH"),
        run=of("JOB_ID"),
        event=of("PIPELINE_SOURCE"),
        ref=of("COMMIT_REF_NAME"),
        workflow=of("CONFIG_PATH"),
        url=of("JOB_URL"),
    )
    return maker, of("COMMIT_SHA")
