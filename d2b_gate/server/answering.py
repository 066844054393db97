"""How refusals are answered, logged and counted: at one place, whatever refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from d2b_gate.server.tokens import Owner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Scope

    from d2b_gate.server.journal import Journal
    from d2b_gate.server.metrics import Metrics
    from d2b_gate.server.refusal import RefusalError


class Answering:
    """Turns refusals into answers."""

    def __init__(self, journal: Journal, metrics: Metrics) -> None:
        self._journal = journal
        self._metrics = metrics

    def refuse(self, refusal: RefusalError, scope: Scope, more: Mapping[str, str] | None = None) -> JSONResponse:
        """The answer to a request that is refused; one line and one count."""
        values: dict[str, str | float] = {
            "status": refusal.status,
            "method": str(scope["method"]),
            "path": str(scope["path"]),
        }
        owner = scope.get("state", {}).get("owner")
        if isinstance(owner, Owner):
            values["by"] = owner.name
        self.note(refusal.reason, scope.get("client"), values)
        return JSONResponse(refusal.body(), refusal.status, {**refusal.headers(), **(more or {})})

    def note(self, reason: str, client: object, values: Mapping[str, str | float]) -> None:
        """One line and one count for what was refused without an answer."""
        self._metrics.refusals.labels(reason).inc()
        peer = str(client[0]) if isinstance(client, tuple | list) and client else "unknown"
        self._journal.line("refused", reason=reason, peer=peer, **values)

    def count_bytes(self, size: int) -> None:
        """Count what was read of a body."""
        self._metrics.bytes_in.inc(size)
