"""The application: routes, health, metrics, and every error in one shape."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException

from d2b_gate import __version__
from d2b_gate.core.errors import GateError
from d2b_gate.server.answering import Answering
from d2b_gate.server.gatekeeper import Gatekeeper
from d2b_gate.server.messages import ErrorAnswer, Health
from d2b_gate.server.refusal import RefusalError, refusal_of
from d2b_gate.server.routes import Responses, make_routes

if TYPE_CHECKING:
    from starlette.responses import JSONResponse

    from d2b_gate.server.house import House
    from d2b_gate.server.refusal import Kind

_SHOWN = 5  # problems of a body that are told; one that is not meant for this server has thousands
_NOT_FOUND, _WRONG_METHOD = 404, 405
_DESCRIPTION = "Runs the verbs of d2b-gate's model backend for machines without a GPU. See docs/serve.md."


def make_app(house: House) -> Gatekeeper:
    """The ASGI application of one server."""
    app = FastAPI(
        title="d2b-gate serve",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        redirect_slashes=False,
    )
    answering = Answering(house.journal, house.metrics)
    _add_errors(app, answering)
    _add_health(app, house)
    app.include_router(make_routes(house))
    return Gatekeeper(app, house.settings, answering, house.journal)


def _add_health(app: FastAPI, house: House) -> None:
    @app.get("/healthz")
    async def healthz() -> Health:
        """The process lives."""
        return Health(status="alive")

    @app.get("/readyz", responses={503: {"model": ErrorAnswer, "description": "It does not take jobs."}})
    async def readyz() -> Health:
        """Jobs are taken in and run."""
        if not house.ready:
            raise RefusalError(503, "unavailable", "the server is not ready", reason="not-ready", retry_after=5)
        return Health(status="ready")

    text: Responses = {
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus metrics."}
    }

    @app.get("/metrics", responses={**text, 401: {"model": ErrorAnswer}}, response_class=Response)
    def metrics() -> Response:
        """Counts, in Prometheus' format."""
        return Response(house.metrics.text(), headers={"content-type": CONTENT_TYPE_LATEST})


def _add_errors(app: FastAPI, answering: Answering) -> None:
    @app.exception_handler(RefusalError)
    async def refused(request: Request, error: RefusalError) -> JSONResponse:
        return answering.refuse(error, request.scope)

    @app.exception_handler(GateError)
    async def failed(request: Request, error: GateError) -> JSONResponse:
        return answering.refuse(refusal_of(error), request.scope)

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> JSONResponse:
        return answering.refuse(_malformed(error), request.scope)

    @app.exception_handler(HTTPException)
    async def unrouted(request: Request, error: HTTPException) -> JSONResponse:
        return answering.refuse(_unrouted(error), request.scope, error.headers)

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> JSONResponse:
        """The framework raises it again after this answer; the gatekeeper then says where it comes from."""
        del error
        bug = RefusalError(500, "evaluation", "this is a bug in the server", reason="bug", remedy="see its log")
        return answering.refuse(bug, request.scope)

    @app.exception_handler(sqlite3.Error)
    @app.exception_handler(OSError)
    async def unwritable(request: Request, error: Exception) -> JSONResponse:
        del error
        refusal = RefusalError(
            503, "unavailable", "the server cannot use its state", reason="state-unwritable", retry_after=5
        )
        return answering.refuse(refusal, request.scope)


def _malformed(error: RequestValidationError) -> RefusalError:
    """What does not fit, without the values, which may be rows."""
    found = error.errors()
    problems = [f"{_place(one['loc'])}: {one['msg']}" for one in found[:_SHOWN]]
    more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return RefusalError(
        *(422, "usage", f"the request does not fit: {'; '.join(problems)}{more}"),
        reason="malformed",
        remedy="compare the versions of both sides",
    )


def _place(location: tuple[str | int, ...]) -> str:
    return ".".join(str(part)[:80] for part in location)


def _unrouted(error: HTTPException) -> RefusalError:
    reasons = {_NOT_FOUND: "no-such-address", _WRONG_METHOD: "wrong-method"}
    kind: Kind = "unknown" if error.status_code == _NOT_FOUND else "usage"
    reason = reasons.get(error.status_code, "malformed")
    return RefusalError(error.status_code, kind, str(error.detail), reason=reason)
