"""Connections with a deadline: a request's head must arrive in time, and there are only so many at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from d2b_gate.server.refusal import said_error

if TYPE_CHECKING:
    import asyncio

    from d2b_gate.server.answering import Answering
    from d2b_gate.server.settings import Limits


def bounded_protocol(limits: Limits, answering: Answering) -> type[H11Protocol]:
    """A protocol for uvicorn, which itself waits for a head for ever."""

    class Bounded(H11Protocol):
        """Closes what does not say what it wants."""

        _head_timer: asyncio.TimerHandle

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
            super().connection_made(transport)
            self._wait_for_head()
            if len(self.connections) > limits.connections:
                answering.note("too-many-connections", self.client, {})
                transport.abort()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.conn.their_state is not h11.IDLE:
                self._head_timer.cancel()
            elif self._head_timer.cancelled() and data:
                self._wait_for_head()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.conn.their_state is h11.SEND_BODY:  # answered before all of it came: nobody waits for the rest
                self._unset_keepalive_if_required()
                self.transport.close()

        def connection_lost(self, exc: Exception | None) -> None:
            self._head_timer.cancel()
            super().connection_lost(exc)

        def send_400_response(self, msg: str) -> None:
            answering.note("malformed-http", self.client, {"status": 400})
            said = {"error": said_error("usage", "the request is not HTTP", "", "correct the client")}
            body = json.dumps(said).encode()
            headers = [
                ("content-type", "application/json"),
                ("connection", "close"),
                ("content-length", str(len(body))),
            ]
            parts = (h11.Response(status_code=400, headers=headers, reason=b"Bad Request"), h11.Data(data=body))
            for part in (*parts, h11.EndOfMessage()):
                self.transport.write(self.conn.send(part) or b"")
            self.transport.close()

        def _wait_for_head(self) -> None:
            self._head_timer = self.loop.call_later(limits.head_seconds, self._give_up)

        def _give_up(self) -> None:
            answering.note("slow-head", self.client, {})
            self.transport.abort()

    return Bounded
