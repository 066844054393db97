"""What an API refused, as sentences that say what to do."""

from __future__ import annotations

from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.printable import printable

_SHOWN = 300  # characters of the API's own words
_REMEDIES = {
    401: "check that the token in GITHUB_TOKEN is set, whole and not expired",
    403: "the job needs `permissions: pull-requests: write` (`checks: write` too for --check-run), which a run of a "
    "fork never has: publish from a workflow_run job; a comment of another app needs --author",
    404: "check --repository, --pull-request and --api-url, and that the token may see the repository",
    410: "run it again; what was to be changed is gone",
    422: "correct what the API names",
}
_ELSE = "run it again later"


class StatusError(EvaluationError):
    """The API answered with an error."""

    def __init__(self, status: int, asked: str, told: str) -> None:
        what = f"the API answers {status} to {printable(asked)}" + (f": {told}" if told else "")
        super().__init__(what, remedy=_REMEDIES.get(status, _ELSE))
        self.status = status


class UnknownOutcomeError(EvaluationError):
    """It is not known whether the API did what it was asked to."""


def told_by(content: object, token: str) -> str:
    """The API's own words, in one short line without the token."""
    if not isinstance(content, dict):
        return ""
    errors = content.get("errors")
    details = [_detail(error) for error in errors[:3]] if isinstance(errors, list) else []
    words = "; ".join(text for text in (str(content.get("message", "")), *details) if text)
    return printable(words.replace(token, "***"))[:_SHOWN] if token else printable(words)[:_SHOWN]


def _detail(error: object) -> str:
    if isinstance(error, dict):
        return " ".join(str(error[key]) for key in ("field", "code", "message") if key in error)
    return str(error)
