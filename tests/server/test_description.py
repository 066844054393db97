"""The OpenAPI description is true: generated requests find no server error and no answer that it does not describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from d2b_gate.core.remote import said_injection
from d2b_gate.core.rows import row_to_mapping
from d2b_gate.server.app import make_app
from d2b_gate.server.house import House
from d2b_gate.server.journal import Journal
from tests.server import support
from tests.server.process import until
from tests.server.support import FINAL, MODEL, ROWS, TOKEN, VECTORS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis import BaseSchema, Case

AUTHORIZATION = {"Authorization": f"Bearer {TOKEN}"}
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
OPERATIONS = [
    *(("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics"), ("POST", "/v1/model")),
    *(("POST", "/v1/rows"), ("POST", "/v1/rows/missing"), ("POST", "/v1/jobs")),
    *(("GET", "/v1/jobs/{name}"), ("DELETE", "/v1/jobs/{name}")),
    *(("GET", "/v1/jobs/{name}/events"), ("GET", "/v1/jobs/{name}/result")),
]


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BaseSchema]:
    house = House(support.settings(tmp_path_factory.mktemp("serve") / "state"), Journal(lambda _: None))
    house.start()
    yield schemathesis.openapi.from_asgi("/openapi.json", make_app(house), headers=AUTHORIZATION)
    house.desk.close()
    house.end(10)


def test_every_address_is_described(schema: BaseSchema) -> None:
    described = [result.ok() for result in schema.get_all_operations()]
    assert sorted((one.method.upper(), one.path) for one in described) == sorted(OPERATIONS)


def generated(count: int) -> settings:
    return settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),
    )


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_generated_requests(schema: BaseSchema, method: str, path: str, mode: GenerationMode) -> None:
    if mode == GenerationMode.NEGATIVE and not path.startswith("/v1"):
        pytest.skip("nothing about it can be wrong")
    statuses: set[int] = set()

    @generated(30)
    @given(schema[path][method].as_strategy(generation_mode=mode))
    def asked(case: Case) -> None:
        answer = case.call(headers=AUTHORIZATION)
        statuses.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS, headers=AUTHORIZATION)

    asked()
    assert statuses


def test_generated_jobs_of_the_served_model(schema: BaseSchema) -> None:
    names: set[str] = set()
    rows = {"rows": [row_to_mapping(row) for row in ROWS[:40]]}
    schema["/v1/rows"]["POST"].Case(body=rows, media_type="application/json").call_and_validate(headers=AUTHORIZATION)

    @generated(200)
    @given(schema["/v1/jobs"]["POST"].as_strategy(generation_mode=GenerationMode.POSITIVE))
    def asked(case: Case) -> None:
        assert isinstance(case.body, dict)
        _meant(case.body)
        answer = case.call(headers=AUTHORIZATION)
        case.validate_response(answer, checks=CHECKS, headers=AUTHORIZATION)
        if answer.status_code == 202:
            names.add(answer.json()["job"])

    asked()
    assert len(names) > 8
    for name in names:
        until(lambda name=name: _state(schema, name) in FINAL)
    assert {_state(schema, name) for name in names} <= {"done", "failed"}


def _meant(body: dict[str, Any]) -> None:
    """What no generator guesses: the model that is served, rows that were sent, and vectors of the model's width."""
    body["model"] = MODEL
    if "rows" in body["arguments"]:
        body["arguments"]["rows"] = [row.key for row in ROWS[:40]]
    if "injection" in body["arguments"]:
        body["arguments"]["injection"] = said_injection(VECTORS)


def _state(schema: BaseSchema, name: str) -> str:
    case = schema["/v1/jobs/{name}"]["GET"].Case(path_parameters={"name": name})
    answer = case.call_and_validate(headers=AUTHORIZATION, checks=CHECKS)
    return str(answer.json()["state"])
