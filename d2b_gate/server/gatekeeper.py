"""What stands before the application: who asks, how large and how slow a request may be, and what must never escape."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from d2b_gate.server.refusal import RefusalError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from d2b_gate.server.answering import Answering
    from d2b_gate.server.journal import Journal
    from d2b_gate.server.settings import Settings
    from d2b_gate.server.tokens import Owner

OPEN = ("/healthz", "/readyz")
"""What may be asked without a token: it says nothing about anyone."""
METRICS = "/metrics"
_PATIENCE = 4
"""Times the largest body that is read and thrown away, so that a client that sends too much hears why."""
HELD_BODIES = 2
"""Times the largest body that all requests together may hold, those of one token once: JSON grows when it is parsed."""
RESERVED = 8
"""So many times smaller than the largest body is what each token may hold whatever others hold."""
_LITTLE = 2**20  # bytes that are thrown away for somebody unknown
_DISCARDING = 5.0  # seconds of throwing away
_BEARER = b"bearer "


class Gatekeeper:
    """An ASGI application around another. A request reaches that one with its owner known and its body read."""

    def __init__(self, app: ASGIApp, settings: Settings, answering: Answering, journal: Journal) -> None:
        self._app = app
        self._settings = settings
        self._answering = answering
        self._journal = journal
        self._busy: Counter[str] = Counter()
        self._held: list[Buffered] = []
        self.last_asked = time.monotonic()

    @property
    def busy(self) -> bool:
        """Whether some owner's request is being answered."""
        return self._busy.total() > 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a bug ends as an answer and a line, not as a traceback."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun: list[bool] = []

        async def watched(message: Message) -> None:
            begun.append(True)
            await send(message)

        try:
            await self._answer(scope, receive, watched)
        except RefusalError as refusal:
            await self._answering.refuse(refusal, scope, {"connection": "close"})(scope, receive, send)
        except Exception as error:  # the last place before the framework prints a traceback with what it holds
            self._journal.crash("bug", error)
            if not begun:
                bug = RefusalError(500, "evaluation", "this is a bug in the server", reason="bug")
                await self._answering.refuse(bug, scope)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in OPEN or (scope["path"] == METRICS and self._settings.open_metrics):
            await self._app(scope, _nothing, send)
            return
        owner = await self._owner(Headers(scope=scope), receive)
        scope.setdefault("state", {})["owner"] = owner
        if self._busy[owner.place] >= self._settings.limits.requests:
            raise RefusalError(
                429, "busy", "too many requests of this token at once", reason="too-many-requests", retry_after=1
            )
        self._busy[owner.place] += 1
        held = Buffered(self._held, owner.place, self._settings.limits.body_bytes)
        try:
            body = await self._body(Headers(scope=scope), receive, held)
            await self._app(scope, _replay(body, receive), send)
        finally:
            held.release()
            self._busy[owner.place] -= 1
            self.last_asked = time.monotonic()

    async def _owner(self, headers: Headers, receive: Receive) -> Owner:
        said = headers.get("authorization", "").encode("latin-1", "replace")
        presented = said[len(_BEARER) :].strip() if said[: len(_BEARER)].lower() == _BEARER else b""
        owners = self._settings.tokens.owners_of(presented)
        if not owners:
            reason = "wrong-token" if presented else "no-token"
            await _discard(headers, receive, _LITTLE)
            raise RefusalError(
                401, "usage", "this server needs a token that it knows", reason=reason, remedy="ask the server's owner"
            )
        return owners[0]

    async def _body(self, headers: Headers, receive: Receive, held: Buffered) -> bytes:
        """The body, whole.

        Raises:
            RefusalError: it is too large, or does not arrive in time.
        """
        limits = self._settings.limits
        stated = headers.get("content-length", "")
        if stated.isdigit() and int(stated) > limits.body_bytes:
            await _discard(headers, receive, _PATIENCE * limits.body_bytes)
            raise _too_large(limits.body_bytes)
        try:
            body = await asyncio.wait_for(_read(receive, limits.body_bytes, held), limits.arrival_seconds)
        except asyncio.TimeoutError:
            what = f"the request did not arrive within {limits.arrival_seconds:g} s"
            raise RefusalError(408, "usage", what, reason="slow-body") from None
        self._answering.count_bytes(len(body))
        return body


class Buffered:
    """Bytes of a body in memory, counted together with those of all others."""

    def __init__(self, together: list[Buffered], owner: str, most: int) -> None:
        """``most`` is the largest body."""
        self._together = together
        self.owner = owner
        self._most = most
        self.bytes = 0
        together.append(self)

    def grow(self, size: int) -> None:
        """Count more bytes.

        Raises:
            RefusalError: all bodies together, or those of this owner, would be too large.
        """
        self.bytes += size
        total = sum(one.bytes for one in self._together)
        own = sum(one.bytes for one in self._together if one.owner == self.owner)
        if own > self._most or (total > HELD_BODIES * self._most and own > self._most // RESERVED):
            raise RefusalError(503, "busy", "too much is sent at once", reason="memory", retry_after=1)

    def release(self) -> None:
        """Count it no more."""
        self._together.remove(self)


async def _read(receive: Receive, most: int, held: Buffered) -> bytes:
    """A body of at most ``most`` bytes; raises RefusalError for a larger one, and where the client goes away."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RefusalError(400, "usage", "the client went away", reason="gone")
        part = message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) + len(part) > most:
            if more:
                await _throw_away(receive, _PATIENCE * most)
            raise _too_large(most)
        held.grow(len(part))
        body += part
    return bytes(body)


async def _discard(headers: Headers, receive: Receive, most: int) -> None:
    """Read on for a while, and throw away, so that a client that is still sending hears why it is refused."""
    stated = headers.get("content-length", "0")
    waits = headers.get("expect") is not None  # it has sent nothing yet
    if waits or (stated.isdigit() and int(stated) > most):
        return
    await _throw_away(receive, most)


async def _throw_away(receive: Receive, most: int) -> None:
    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(_read_away(receive, most), _DISCARDING)


async def _read_away(receive: Receive, most: int) -> None:
    size, more = 0, True
    while more and size <= most:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)


def _too_large(most: int) -> RefusalError:
    return RefusalError(
        413, "usage", f"the body is larger than {most} bytes", reason="body-too-large", remedy="send less at once"
    )


def _replay(body: bytes, receive: Receive) -> Receive:
    """Say a body that was read already, and then whatever comes."""
    parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def say() -> Message:
        return parts.pop() if parts else await receive()

    return say


async def _nothing() -> Message:
    """A request without a body, whatever the client sends with it."""
    return {"type": "http.request", "body": b"", "more_body": False}
