"""Routes whose JSON is parsed and validated beside the event loop, strictly, and refused in words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from d2b_gate.server.refusal import RefusalError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from fastapi._compat import ModelField
    from starlette.responses import Response

_MOST_NAMES = 50  # of one object; no message has half as many
_MOST_PARTS = 4 * 2**20  # brackets of a body, those in texts too: each may be a list, which takes 30 times its memory


class ParsedRequest(Request):
    """A request whose JSON is refused where it is none, nests too deeply, says NaN, or does not fit."""

    as_sent: Any  # as JSON says it; it and the next are there after `hear`
    _heard: object

    async def hear(self, field: ModelField) -> None:
        """Parse and validate the body; a large one takes seconds, in which others are answered."""
        self.as_sent, self._heard = await run_in_threadpool(_heard, await self.body(), field)

    async def json(self) -> Any:  # noqa: ANN401 - as the class that it stands for
        """The validated body, which the framework, validating it once more, takes as it is."""
        return self._heard


class StrictRoute(APIRoute):
    """Parses before the framework does, which would answer with less."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's handler behind the parsing."""
        handle = super().get_route_handler()

        async def parse_first(request: Request) -> Response:
            parsed = ParsedRequest(request.scope, request.receive)
            if self.body_field is not None:
                if await parsed.body():
                    _refuse_other_types(parsed.headers.get("content-type", ""))
                await parsed.hear(self.body_field)
            return await handle(parsed)

        return parse_first


def _refuse_other_types(stated: str) -> None:
    if stated.partition(";")[0].strip().lower() != "application/json":
        raise RefusalError(415, "usage", "the body is not said to be JSON", reason="not-json", where="content-type")


def _heard(body: bytes, field: ModelField) -> tuple[object, object]:
    """The body as JSON says it, and as its model."""
    if not body:
        raise RefusalError(422, "usage", "the request has no body", reason="malformed")
    if body.count(b"[") + body.count(b"{") > _MOST_PARTS:
        raise RefusalError(
            413, "usage", "the body has too many parts", reason="too-many-parts", remedy="send less at once"
        )
    said = _parsed(body)
    heard, problems = field.validate(said, loc=("body",))
    if problems:
        raise RequestValidationError(problems)
    return said, heard


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body, parse_constant=_no_constant, object_pairs_hook=_table)
    except RecursionError:
        raise RefusalError(422, "usage", "the body nests too deeply", reason="nesting") from None
    except ValueError as error:  # no JSON, no UTF-8, or a number of thousands of digits
        what = (
            f"the body is not JSON ({error.msg})" if isinstance(error, json.JSONDecodeError) else "the body is not JSON"
        )
        raise RefusalError(422, "usage", what, reason="malformed-json") from None


def _table(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object; every unknown name in it would be a problem to tell."""
    if len(pairs) > _MOST_NAMES:
        raise RefusalError(422, "usage", "an object of the body has too many names", reason="malformed")
    return dict(pairs)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
