"""What a client is told instead of an answer, always in one shape; and why, in one word, for the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from d2b_gate.core.errors import GateError, ProbeUnreadableError, UnavailableError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["usage", "evaluation", "unavailable", "unreadable", "busy", "unknown"]


class RefusalError(Exception):
    """A request that is not answered. ``reason`` is one of a few words, so that it can be counted."""

    def __init__(
        self,
        status: int,
        kind: Kind,
        what: str,
        *,
        reason: str,
        where: str = "",
        remedy: str = "",
        retry_after: int = 0,
    ) -> None:
        super().__init__(what)
        self.status = status
        self.reason = reason
        self.said = said_error(kind, what, where, remedy)
        self.retry_after = retry_after
        self.missing: tuple[str, ...] = ()

    def body(self) -> dict[str, object]:
        """What is answered; keys of rows that are missing stand beside the error."""
        return {"error": self.said, **({"missing": list(self.missing)} if self.missing else {})}

    def headers(self) -> dict[str, str]:
        """What clients and proxies act on."""
        headers = {"cache-control": "no-store"}
        if self.retry_after:
            headers["retry-after"] = str(self.retry_after)
        if self.status == 401:
            headers["www-authenticate"] = "Bearer"
        return headers


def said_error(kind: str, what: str, where: str = "", remedy: str = "") -> dict[str, str]:
    """An error as it is answered and as a failed job keeps it."""
    return {"kind": kind, "what": what, "where": where, "remedy": remedy}


def kind_of(error: GateError) -> Kind:
    """How an error of the gate is called, so that a client raises the same again."""
    if isinstance(error, UsageError):
        return "usage"
    if isinstance(error, UnavailableError):
        return "unavailable"
    return "unreadable" if isinstance(error, ProbeUnreadableError) else "evaluation"


def refusal_of(error: GateError) -> RefusalError:
    """An error of the gate as an answer."""
    kind = kind_of(error)
    status = 503 if kind == "unavailable" else 422
    return RefusalError(status, kind, error.what, where=error.where, remedy=error.remedy, reason=f"{kind}-error")


def failure_of(error: GateError) -> Mapping[str, str]:
    """An error of the gate as a failed job keeps it."""
    return said_error(kind_of(error), error.what, error.where, error.remedy)
