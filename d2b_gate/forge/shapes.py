"""What the API answers, as far as it is used: checked at this edge, unknown keys ignored."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.printable import printable


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class User(_Shape):
    """An account, or the bot of an app."""

    login: str


GHOST = User(login="")
"""Who wrote what a deleted account has left."""


class Comment(_Shape):
    """A comment on a pull request, which to GitHub is one on an issue."""

    id: int
    body: str | None = None
    user: User | None = None
    html_url: str = ""

    @property
    def text(self) -> str:
        """The body with the line ends that it was sent with."""
        return (self.body or "").replace("\r\n", "\n")

    @property
    def author(self) -> str:
        """The login of who wrote it."""
        return (self.user or GHOST).login


class Repository(_Shape):
    """A repository."""

    full_name: str


class Branch(_Shape):
    """One end of a pull request."""

    sha: str
    repo: Repository | None = None  # none where a fork was deleted


class Pull(_Shape):
    """A pull request."""

    number: int
    state: str
    head: Branch
    base: Branch


class App(_Shape):
    """Who made a check run."""

    slug: str = ""


class Output(_Shape):
    """What a check run shows."""

    title: str | None = None
    summary: str | None = None
    annotations_count: int = 0


class CheckRun(_Shape):
    """A check run of a commit."""

    id: int
    name: str
    head_sha: str
    external_id: str | None = None
    conclusion: str | None = None
    html_url: str | None = None
    app: App | None = None
    output: Output = Output()


class CheckRuns(_Shape):
    """A page of check runs."""

    check_runs: list[CheckRun]


S = TypeVar("S", bound=_Shape)


def one(kind: type[S], content: object) -> S:
    """An object of the API. Raises EvaluationError where it has another shape."""
    try:
        return TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        raise _misshapen(kind, error) from None


def many(kind: type[S], content: object) -> list[S]:
    """A page of objects."""
    try:
        return TypeAdapter(list[kind]).validate_python(content)  # type: ignore[valid-type]  # known when it runs
    except ValidationError as error:
        raise _misshapen(kind, error) from None


def _misshapen(kind: type[_Shape], error: ValidationError) -> EvaluationError:
    first = error.errors()[0]
    at = printable(".".join(map(str, first["loc"]))) or "the whole"
    what = f"the API's answer is no {kind.__name__.lower()} ({at}: {printable(str(first['type']))})"
    return EvaluationError(what, remedy="check --api-url: GitHub Enterprise has its API at https://HOST/api/v3")
