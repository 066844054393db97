"""The addresses of the server: models, rows, and jobs of one token."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool

from d2b_gate import __version__
from d2b_gate.core.fingerprint import SPOKEN
from d2b_gate.core.remote import PROTOCOL, job_name
from d2b_gate.core.rows import row_from_mapping
from d2b_gate.server import hearing, messages
from d2b_gate.server.desk import unknown_job
from d2b_gate.server.events import events
from d2b_gate.server.job_messages import FinetuneJob, JobAsked  # noqa: TC001 - FastAPI reads them
from d2b_gate.server.jobs import Job
from d2b_gate.server.messages import ErrorAnswer, JobAnswer
from d2b_gate.server.refusal import RefusalError
from d2b_gate.server.routing import ParsedRequest, StrictRoute
from d2b_gate.server.rows import row_bytes
from d2b_gate.server.turns import Ref

if TYPE_CHECKING:
    from d2b_gate.core.ports import ModelCard
    from d2b_gate.core.rows import Row
    from d2b_gate.server.desk import Standing
    from d2b_gate.server.house import House

_ERRORS = {
    400: "The client went away, or the request is none.",
    401: "No token, or none that is known.",
    408: "The request did not arrive in time.",
    413: "The body is too large.",
    415: "The body is not said to be JSON.",
    422: "The body is malformed, or says what cannot be.",
    429: "Too much at once, or too many jobs wait.",
    503: "The server is about to end, or cannot write its state.",
}
Responses = dict[int | str, dict[str, Any]]
"""As FastAPI describes answers."""
ERRORS: Responses = {status: {"model": ErrorAnswer, "description": text} for status, text in _ERRORS.items()}
_STATUS_OF_FAILED = 422


def _error(text: str) -> dict[str, Any]:
    return {"model": ErrorAnswer, "description": text}


def _content(media: str, schema: str, text: str) -> dict[str, Any]:
    return {"content": {media: {"schema": {"type": schema}}}, "description": text}


def make_routes(house: House) -> APIRouter:
    """The addresses under ``/v1``."""
    router = APIRouter(
        prefix=f"/v{PROTOCOL}",
        route_class=StrictRoute,
        responses=ERRORS,
        dependencies=[Depends(HTTPBearer(auto_error=False))],
    )
    _add_models(router, house)
    _add_rows(router, house)
    _add_jobs(router, house)
    _add_results(router, house)
    return router


def _owner(request: Request) -> str:
    """Whose request it is; the gatekeeper has seen to it."""
    return str(request.state.owner.place)


async def _body_as_sent(request: ParsedRequest) -> dict[str, Any]:
    """The body before pydantic made anything of it: a job is named by what was sent."""
    body: dict[str, Any] = request.as_sent
    return body


AsSent = Annotated[dict[str, Any], Depends(_body_as_sent)]
Whose = Annotated[str, Depends(_owner)]
Name = Annotated[str, Path(pattern=messages.KEY, description="The name of a job.")]


def _add_models(router: APIRouter, house: House) -> None:
    @router.post("/model", responses={403: _error("The server does not run this model.")})
    def model(asked: messages.ModelAsked, owner: Whose) -> messages.ModelAnswer:
        """Tell what the model is, so that both sides name features and jobs alike."""
        del owner
        card = asdict(house.served.card(hearing.spec_of(asked.model)))
        said = messages.CardSaid.model_validate({**card, "versions": [tuple(pair) for pair in card["versions"]]})
        return messages.ModelAnswer(protocol=PROTOCOL, gate_version=__version__, feature_version=SPOKEN, card=said)


def _add_rows(router: APIRouter, house: House) -> None:
    @router.post("/rows/missing")
    def missing(asked: messages.KeysAsked, owner: Whose) -> messages.Missing:
        """Tell which rows this token has not sent."""
        return messages.Missing(missing=house.rows.missing(owner, asked.keys))

    @router.post("/rows")
    def rows(sent: messages.RowsSent, owner: Whose) -> messages.RowsKept:
        """Keep rows for this token alone; the server names them itself."""
        kept = _rows(sent, house)
        house.count_kept(house.rows.keep(owner, kept))
        house.metrics.rows_received.inc(len(kept))
        return messages.RowsKept(keys=[row.key for row in kept])


def _rows(sent: messages.RowsSent, house: House) -> list[Row]:
    limits = house.settings.limits
    if len(sent.rows) > limits.rows:
        what = f"more than {limits.rows} rows at once"
        raise RefusalError(413, "usage", what, reason="too-many-rows", where="rows", remedy="send less at once")
    tables = [{"turns": [list(turn) for turn in row.turns], "tools": row.tools} for row in sent.rows]
    for index, table in enumerate(tables):
        if row_bytes(table) > limits.row_bytes:
            raise RefusalError(
                *(413, "usage", f"a row is larger than {limits.row_bytes} bytes"),
                reason="row-too-large",
                where=f"rows[{index}]",
                remedy="shorten it, or raise --max-row-bytes of the server",
            )
    return [row_from_mapping(table) for table in tables]


def _add_jobs(router: APIRouter, house: House) -> None:
    responses: Responses = {
        202: {"model": JobAnswer, "description": "A new job, queued."},
        403: _error("The server does not run this model."),
        404: _error("This token has no such training."),
        409: _error("Rows must be sent first."),
    }

    @router.post("/jobs", responses=responses, response_model_exclude_none=True)
    def post(asked: JobAsked, body: AsSent, owner: Whose, response: Response) -> JobAnswer:
        """Ask for a verb of the model; asking twice is asking once."""
        card = house.served.card(hearing.spec_of(asked.model))
        hearing.refuse_nonsense(asked, card)
        hearing.refuse_large(asked, card, house.settings.limits.result_bytes)
        name = job_name(card, asked.verb, body["arguments"])
        trainings = _trainings(asked, owner, card, house)
        _refuse_missing(asked, trainings, owner, house)
        total = hearing.steps_of(asked) + sum(hearing.steps_of(training) for training in trainings)
        request = json.dumps(body, separators=(",", ":"))
        standing, new = house.desk.post(Job(Ref(owner, name), total), request)
        house.count_kept(len(request) if new else 0)
        response.status_code = 202 if new else 200
        return _said(standing)


def _trainings(asked: JobAsked, owner: str, card: ModelCard, house: House) -> list[FinetuneJob]:
    """The trainings that a job names, all of this token and model."""
    trainings = [house.training(owner, name) for name in hearing.kept_of(asked)]
    if any(not found or house.served.card(hearing.spec_of(found[0].model)) != card for found in trainings):
        raise RefusalError(
            *(404, "unknown", "this token has no such training of this model"),
            reason="unknown-training",
            where="arguments.injection.kept",
            remedy="ask for the training first",
        )
    for name in hearing.kept_of(asked):
        house.jobs.touch(Ref(owner, name))
    return [training for found in trainings for training in found]


def _refuse_missing(asked: JobAsked, trainings: list[FinetuneJob], owner: str, house: House) -> None:
    keys = [*hearing.rows_of(asked), *(key for training in trainings for key in training.arguments.rows)]
    missing = house.rows.missing(owner, keys)
    if missing:
        refusal = RefusalError(
            *(409, "unknown", f"{len(missing)} rows of this job were not sent"),
            reason="rows-missing",
            remedy="send them",
        )
        refusal.missing = tuple(missing)
        raise refusal


def _add_results(router: APIRouter, house: House) -> None:
    unknown: Responses = {404: _error("This token has no such job.")}

    @router.get("/jobs/{name}", responses=unknown, response_model_exclude_none=True)
    def look(name: Name, owner: Whose) -> JobAnswer:
        """Tell how a job stands."""
        return _said(house.desk.look(Ref(owner, name)))

    @router.delete("/jobs/{name}", responses=unknown, response_model_exclude_none=True)
    def cancel(name: Name, owner: Whose) -> JobAnswer:
        """Drop a queued job, or stop a running one at its next step."""
        return _said(house.desk.cancel(Ref(owner, name)))

    stream: Responses = {200: _content("text/event-stream", "string", "Events.")}

    @router.get("/jobs/{name}/events", responses={**unknown, **stream}, response_class=StreamingResponse)
    async def follow(name: Name, owner: Whose) -> StreamingResponse:
        """Tell of every change until the job ends: server-sent events with a job each."""

        async def look_again() -> JobAnswer:
            return _said(await run_in_threadpool(house.desk.look, Ref(owner, name)))

        await look_again()
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        told = events(look_again, lambda: house.bell.listen(Ref(owner, name)), lambda: house.going)
        return StreamingResponse(told, media_type="text/event-stream", headers=headers)

    table: Responses = {200: _content("application/json", "object", "By verb; see docs/serve.md.")}

    @router.get(
        "/jobs/{name}/result",
        responses={**unknown, **table, 409: _error("It is not done.")},
        response_class=FileResponse,
    )
    def result(name: Name, owner: Whose) -> FileResponse:
        """Give what a job computed."""
        ref = Ref(owner, name)
        _refuse_undone(house.desk.look(ref))
        path = house.jobs.result(ref)
        if not path.is_file():
            raise unknown_job()
        house.jobs.touch(ref)
        return FileResponse(path, media_type="application/json", headers={"cache-control": "no-store"})


def _refuse_undone(standing: Standing) -> None:
    if standing.state == "failed":
        refusal = RefusalError(_STATUS_OF_FAILED, "evaluation", "", reason="job-failed")
        refusal.said = dict(standing.job.error)
        raise refusal
    if standing.state == "cancelled":
        raise unknown_job()
    if standing.state != "done":
        raise RefusalError(409, "busy", "the job is not done", reason="not-done", remedy="follow its events")


def _said(standing: Standing) -> JobAnswer:
    return JobAnswer.model_validate(
        {
            "job": standing.job.ref.name,
            "state": standing.state,
            "done": standing.done,
            "total": standing.job.total,
            "ahead": standing.ahead,
            **({"error": standing.job.error} if standing.state == "failed" else {}),
        }
    )
