"""`doctor --ci`: one workflow that uses the action, held against what docs/ci.md asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.cli.doctor_check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Table = Mapping[object, object]

_GATE = re.compile(r"(?:[^/]+/[^/]*d2b-gate[^/]*/action|\./(?:.*/)?action/?)(?:@.*)?")
_PINNED = re.compile(r"[^@]+@(?:[0-9a-f]{40}|sha256:[0-9a-f]{64})")
_UNSAFE_EVENTS = ("pull_request_target", "workflow_run")


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow file as YAML; nothing in it is certain to have the right type."""

    where: str
    content: Table

    @property
    def events(self) -> tuple[str, ...]:
        """Names of events; YAML 1.1 reads the key ``on`` as true."""
        on = self.content.get("on", self.content.get(True))
        return (on,) if isinstance(on, str) else tuple(str(name) for name in on) if isinstance(on, (list, dict)) else ()

    def jobs_with_the_gate(self) -> list[Job]:
        """Jobs with a step that uses the action."""
        jobs = [Job(self, str(name), _table(job)) for name, job in _table(self.content.get("jobs")).items()]
        return [job for job in jobs if job.gates]


@dataclass(frozen=True, slots=True)
class Job:
    """One job."""

    workflow: Workflow
    name: str
    content: Table

    @property
    def steps(self) -> list[Table]:
        """The job's steps."""
        steps = self.content.get("steps")
        return [_table(step) for step in steps] if isinstance(steps, list) else []

    @property
    def gates(self) -> list[Table]:
        """Steps that use the action."""
        return [step for step in self.steps if _GATE.fullmatch(str(step.get("uses", "")))]

    @property
    def evaluates(self) -> bool:
        """Whether a step runs a model."""
        return any(_input(step, "mode") != "structure" for step in self.gates)

    @property
    def where(self) -> str:
        """File and job, for people."""
        return f"{self.workflow.where}, job {self.name}"


def workflow_checks(workflow: Workflow) -> Iterator[Check]:
    """Everything to say of one workflow; one line where all is well."""
    found = [*_events(workflow), *(check for job in workflow.jobs_with_the_gate() for check in _job(job))]
    if not any(check.state == "missing" for check in found):
        jobs = ", ".join(job.name for job in workflow.jobs_with_the_gate())
        yield Check("workflow", "ok", f"{workflow.where}, jobs {jobs}")
    yield from found


def _events(workflow: Workflow) -> Iterator[Check]:
    for event in _UNSAFE_EVENTS:
        if event in workflow.events:
            what = f"{workflow.where} runs the gate on {event}, which the action refuses"
            yield Check("events", "missing", what, "use pull_request")
    if "pull_request" in workflow.events and "merge_group" not in workflow.events:
        what = f"{workflow.where} does not know merge_group: with a merge queue the check would never come"
        yield Check("events", "optional", what, "add merge_group")


def _job(job: Job) -> Iterator[Check]:
    if job.evaluates:
        yield from _forks(job)
        yield from _permissions(job)
    yield from _pins(job)
    yield from _checkout(job)
    yield from _verdict(job)
    if "timeout-minutes" not in job.content:
        yield Check("timeout", "optional", f"{job.where} may run for six hours", "give it timeout-minutes")


def _forks(job: Job) -> Iterator[Check]:
    if "pull_request" not in job.workflow.events:
        return
    condition = str(job.content.get("if", ""))
    if "head.repo." not in condition:
        what = f"{job.where} is started for forks too, and refused only once it runs"
        remedy = "give the job: if: github.event_name != 'pull_request' || "
        remedy += "github.event.pull_request.head.repo.full_name == github.repository"
        yield Check("forks", "missing", what, remedy)
    if any(_input(step, "dangerously-evaluate-forks") == "true" for step in job.gates):
        what = f"{job.where} evaluates what anybody sends"
        yield Check(
            "forks", "missing", what, "drop dangerously-evaluate-forks, or throw the machine away after each job"
        )


def _permissions(job: Job) -> Iterator[Check]:
    given = job.content.get("permissions", job.workflow.content.get("permissions"))
    allowed = _table(given)
    wide = [str(name) for name, level in allowed.items() if level != "none" and (name, level) != ("contents", "read")]
    if given is None or isinstance(given, str):
        wide = ["the repository's default" if given is None else str(given)]
    if wide:
        what = f"{job.where} has more rights than it needs ({', '.join(wide)})"
        yield Check("permissions", "missing", what, "give the job: permissions: { contents: read }")


def _pins(job: Job) -> Iterator[Check]:
    for uses in (str(step["uses"]) for step in job.steps if "uses" in step):
        if uses.startswith("./"):
            what = f"{job.where} uses {uses} of the checkout, which a pull request can change"
            yield Check("pins", "missing", what, "use it by owner/name/path@<full commit id>")
        elif not _PINNED.fullmatch(uses):
            what = f"{job.where} uses {uses}, which its owner can change"
            yield Check("pins", "missing", what, "pin it by its full commit id")


def _checkout(job: Job) -> Iterator[Check]:
    checkouts = [step for step in job.steps if str(step.get("uses", "")).startswith("actions/checkout@")]
    if not checkouts:
        yield Check(
            "checkout", "missing", f"{job.where} checks nothing out", "add actions/checkout with fetch-depth: 2"
        )
    for step in checkouts:
        if _input(step, "ref"):
            what = f"{job.where} checks out a ref of its own, not the merge that is judged"
            yield Check("checkout", "missing", what, "drop 'ref:'")
        if _input(step, "fetch-depth") in ("", "1"):
            what = f"{job.where} clones one commit, so the base is fetched by every run"
            yield Check("checkout", "optional", what, "give actions/checkout fetch-depth: 2")
        if _input(step, "persist-credentials") != "false":
            what = f"{job.where} leaves the token in the clone"
            yield Check("checkout", "optional", what, "give actions/checkout persist-credentials: false")
        if _input(step, "lfs") == "true":
            what = f"{job.where} fetches LFS objects from where the change's own .lfsconfig says"
            yield Check("checkout", "optional", what, "fetch them in a step that names the server")


def _verdict(job: Job) -> Iterator[Check]:
    for content in (job.content, *job.gates):
        if str(content.get("continue-on-error", "false")).lower() != "false":
            what = f"{job.where} passes whatever the verdict (continue-on-error)"
            yield Check("verdict", "missing", what, "drop continue-on-error")


def _table(value: object) -> Table:
    return value if isinstance(value, dict) else {}


def _input(step: Table, name: str) -> str:
    """An input of a step as the runner would see it: true and numbers are texts there."""
    value = _table(step.get("with")).get(name, "")
    return str(value).lower() if isinstance(value, bool) else str(value)
