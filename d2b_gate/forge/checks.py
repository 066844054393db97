"""A check run of the judged commit: one that says the same is left alone, another takes the place of an older one."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from d2b_gate.forge.api import created
from d2b_gate.forge.shapes import CheckRun, CheckRuns, one
from d2b_gate.forge.sticky import fitting, settled

if TYPE_CHECKING:
    from d2b_gate.forge.api import Api

MOST_AT_ONCE = 50  # annotations of one request
LONGEST_SUMMARY = 65_535  # bytes
LONGEST_TITLE = 255
_BOT = "[bot]"


@dataclass(frozen=True, slots=True)
class Annotation:
    """Lines of a file and what is to be said of them."""

    path: str
    first: int
    last: int
    level: str  # notice, warning or failure
    title: str
    message: str


@dataclass(frozen=True, slots=True)
class Check:
    """What a check run is to say."""

    name: str
    head: str
    key: str  # tells the gates of one repository apart
    conclusion: str  # success, failure or neutral
    title: str
    summary: str
    annotations: tuple[Annotation, ...]
    url: str = ""

    @property
    def external_id(self) -> str:
        """The name by which we know ours again."""
        return f"d2b-gate {sha256(self.key.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def earlier_check(api: Api, repository: str, check: Check, author: str) -> list[CheckRun]:
    """Our latest check run of that commit, if it says the same."""
    path = f"/repos/{repository}/commits/{check.head}/check-runs"
    pages = api.pages(path, {"check_name": check.name, "filter": "latest"})
    found = [run for page in pages for run in one(CheckRuns, page).check_runs]
    ours = [run for run in found if run.external_id == check.external_id and _app_of(run) == author.removesuffix(_BOT)]
    return [run for run in ours if _says(run, check) and run.output.annotations_count == len(check.annotations)]


def _app_of(run: CheckRun) -> str:
    return run.app.slug if run.app else ""


def _says(run: CheckRun, check: Check) -> bool:
    said = (run.conclusion, run.output.title, settled(run.output.summary or ""))
    return said == (check.conclusion, _title(check), settled(_summary(check)))


def publish_check(api: Api, repository: str, check: Check) -> CheckRun:
    """Create it with its first annotations, and add the others; a later run of a name stands for the earlier ones."""
    runs = f"/repos/{repository}/check-runs"
    whole: dict[str, object] = {
        "name": check.name,
        "head_sha": check.head,
        "external_id": check.external_id,
        "status": "completed",
        "conclusion": check.conclusion,
        **({"details_url": check.url} if check.url else {}),
    }
    first, *others = _batches(check)
    made = created(
        api,
        lambda: one(CheckRun, api.send("POST", runs, {**whole, "output": first})),
        lambda: _just_made(api, repository, check, len(check.annotations[:MOST_AT_ONCE])),
    )
    for output in others:
        made = one(CheckRun, api.send("PATCH", f"{runs}/{made.id}", {"output": output}))
    return made


def _just_made(api: Api, repository: str, check: Check, annotations: int) -> list[CheckRun]:
    """A check run whose answer was lost; an older one that says the same would have been left alone."""
    query = {"check_name": check.name, "filter": "latest"}
    pages = api.pages(f"/repos/{repository}/commits/{check.head}/check-runs", query)
    found = [run for page in pages for run in one(CheckRuns, page).check_runs]
    ours = [run for run in found if run.external_id == check.external_id and _says(run, check)]
    return [run for run in ours if run.output.annotations_count == annotations]


def _batches(check: Check) -> list[dict[str, object]]:
    """The output once for each fifty annotations, and once for none."""
    starts = range(0, len(check.annotations), MOST_AT_ONCE) or range(1)
    return [
        {
            "title": _title(check),
            "summary": _summary(check),
            "annotations": [_plain(one) for one in check.annotations[start : start + MOST_AT_ONCE]],
        }
        for start in starts
    ]


def _title(check: Check) -> str:
    return check.title[:LONGEST_TITLE]


def _summary(check: Check) -> str:
    return fitting(check.summary, LONGEST_SUMMARY)


def _plain(annotation: Annotation) -> dict[str, object]:
    return {
        "path": annotation.path,
        "start_line": annotation.first,
        "end_line": annotation.last,
        "annotation_level": annotation.level,
        "title": annotation.title[:LONGEST_TITLE],
        "message": annotation.message,
    }
