"""What one request may cost, however it is made."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from fastapi._compat import ModelField
from pydantic import TypeAdapter

from d2b_gate.server.job_messages import JobAsked
from d2b_gate.server.messages import KeysAsked, ModelAsked, RowsSent
from tests.server.support import MODEL, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODIES = (JobAsked, KeysAsked, ModelAsked, RowsSent)
TUNING = {"learning_rate": 1.0, "beta1": 0.0, "beta2": 0.0, "epsilon": 0.0}


def lists_of(schema: object) -> Iterator[dict[str, Any]]:
    """Every list in a schema of pydantic's core."""
    if isinstance(schema, dict):
        if schema.get("type") == "list":
            yield schema
        for part in schema.values():
            yield from lists_of(part)
    elif isinstance(schema, list | tuple):
        for part in schema:
            yield from lists_of(part)


@pytest.mark.parametrize("body", BODIES, ids=str)
def test_every_list_is_bounded_and_given_up_at_its_first_fault(body: Any) -> None:
    found = list(lists_of(TypeAdapter(body).core_schema))
    assert found or body is ModelAsked
    for one in found:
        assert one.get("max_length", 0) > 0, one
        assert one.get("fail_fast"), one


def test_a_body_of_a_thousand_faults_is_refused_for_one(tmp_path: Path) -> None:
    with serving(tmp_path / "state") as server:
        steps: list[object] = [{"rows": [[]] * 1_000, "weights": []}] * 50
        answer = server.client().post("tune", {"rows": [], "steps": steps, **TUNING})
        assert answer.status_code == 422
        assert answer.json()["error"]["what"].count(";") == 0


def test_an_object_has_few_names(tmp_path: Path) -> None:
    with serving(tmp_path / "state") as server:
        answer = server.client().ask("POST", "/v1/rows/missing", {"keys": [], **dict.fromkeys(map(str, range(60)))})
        assert (answer.status_code, "too many names" in answer.text) == (422, True)


def test_bodies_are_validated_beside_the_event_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    validated: list[str] = []
    before = ModelField.validate

    def noted(self: ModelField, value: Any, *rest: Any, **more: Any) -> Any:
        if isinstance(value, dict):
            validated.append(threading.current_thread().name)
        return before(self, value, *rest, **more)

    monkeypatch.setattr(ModelField, "validate", noted)
    with serving(tmp_path / "state") as server:
        client = server.client()
        body = {"model": MODEL, "verb": "token_texts", "arguments": {"tokens": [1]}}
        assert client.ask("POST", "/v1/jobs", body).status_code == 202
        assert client.ask("POST", "/v1/rows/missing", {"keys": []}).status_code == 200
    assert len(validated) == 2
    assert all("AnyIO" in name for name in validated)
