"""Routes whose JSON is parsed beside the event loop, strictly, and refused in words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from d2b_gate.server.refusal import RefusalError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from starlette.responses import Response


class ParsedRequest(Request):
    """A request whose JSON is refused where it is none, nests too deeply, or says NaN."""

    async def json(self) -> Any:  # noqa: ANN401 - as the class that it stands for
        """The parsed body; parsed once."""
        if not hasattr(self, "_parsed"):
            self._parsed = await run_in_threadpool(_parsed, await self.body())
        return self._parsed


class StrictRoute(APIRoute):
    """Parses before the framework does, which would answer with less."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's handler behind the parsing."""
        handle = super().get_route_handler()

        async def parse_first(request: Request) -> Response:
            parsed = ParsedRequest(request.scope, request.receive)
            if self.body_field is not None and await parsed.body():
                _refuse_other_types(parsed.headers.get("content-type", ""))
                await parsed.json()
            return await handle(parsed)

        return parse_first


def _refuse_other_types(stated: str) -> None:
    if stated.partition(";")[0].strip().lower() != "application/json":
        raise RefusalError(415, "usage", "the body is not said to be JSON", reason="not-json", where="content-type")


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body, parse_constant=_no_constant)
    except RecursionError:
        raise RefusalError(422, "usage", "the body nests too deeply", reason="nesting") from None
    except ValueError as error:  # no JSON, no UTF-8, or a number of thousands of digits
        what = (
            f"the body is not JSON ({error.msg})" if isinstance(error, json.JSONDecodeError) else "the body is not JSON"
        )
        raise RefusalError(422, "usage", what, reason="malformed-json") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
