"""What one request may cost, however it is made."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from fastapi._compat import ModelField
from pydantic import TypeAdapter

from d2b_gate.backends.fake import FakeBackend
from d2b_gate.core.remote import said_injection, said_prompts, said_training
from d2b_gate.server.job_messages import JobAsked
from d2b_gate.server.messages import KeysAsked, ModelAsked, RowsSent
from tests.server.support import ANIMALS, MODEL, PROMPTS, ROWS, TRAINING, VECTORS, serving

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


@pytest.mark.parametrize("body", BODIES, ids=("job", "keys", "model", "rows"))
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


def test_a_body_of_millions_of_lists_is_not_parsed(tmp_path: Path) -> None:
    """Parsing stops all other threads, and each list takes many times the memory of its brackets."""
    with serving(tmp_path / "state") as server:
        client, body = server.client(), b'{"keys": [' + b"[]," * (4 * 2**20) + b"[]]}"
        client.session.headers["content-type"] = "application/json"
        answer = client.ask("POST", "/v1/rows/missing", data=body)
        assert answer.status_code == 413
        assert any("reason=too-many-parts " in line for line in server.lines)


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


def test_a_step_has_so_many_rows(tmp_path: Path) -> None:
    """Within a step nothing can be stopped."""
    said = said_training(TRAINING)
    with serving(tmp_path / "state") as server:
        client = server.client()
        client.send(TRAINING.rows)
        for count, status in ((1_024, 202), (1_025, 422)):
            assert client.post("finetune", {**said, "steps": [[0] * count]}).status_code == status
            steps = [{"rows": [0] * count, "weights": [1.0] * count}]
            tuning = {"rows": said["rows"], "steps": steps, **TUNING}
            assert client.post("tune", tuning).status_code == status


def test_a_mean_over_the_vocabulary_has_so_many_prompts(tmp_path: Path) -> None:
    prompts = said_prompts(PROMPTS[:1])
    with serving(tmp_path / "state") as server:
        for count, status in ((1_024, 202), (1_025, 413)):
            arguments = {"prompts": prompts * count, "injection": said_injection(VECTORS)}
            assert server.client().post("vocabulary", arguments).status_code == status


def test_portions_are_smaller_where_prompts_cost_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: dict[str, list[int]] = {"complete": [], "read": [], "sensitivities": []}

    def noted(name: str) -> Any:
        before = getattr(FakeBackend, name)

        def verb(self: FakeBackend, prompts: Any, *rest: Any) -> Any:
            sizes[name].append(len(prompts))
            return before(self, prompts, *rest)

        return verb

    for name in sizes:
        monkeypatch.setattr(FakeBackend, name, noted(name))
    wide = said_prompts([replace(PROMPTS[0], continuations=ANIMALS * count) for count in (1, 1_000, 1_000, 1)])
    injection = said_injection(VECTORS)
    with serving(tmp_path / "state") as server:
        client = server.client()
        for most in (64, 4_096):
            drawn: dict[str, object] = {"drawings": [{}] * 70, "max_tokens": most}
            client.run("complete", {"prompts": said_prompts(PROMPTS), "injection": injection, **drawn})
        assert sizes["complete"] == [64, 6, *[4] * 17, 2]
        for verb, more in (
            ("read", {"injection": injection}),
            ("sensitivities", {"coefficients": [[0.5] * 3 * count for count in (1, 1_000, 1_000, 1)]}),
        ):
            sizes[verb].clear()
            client.run(verb, {"prompts": wide, **more})
            assert sizes[verb] == [2, 2]


def test_a_result_has_so_many_bytes_however_often_a_row_is_repeated(tmp_path: Path) -> None:
    with serving(tmp_path / "state", result_bytes=10_000) as server:
        client = server.client()
        client.send(ROWS[:1])
        key, prompts = ROWS[0].key, said_prompts(PROMPTS[:1])
        for count, status in ((30, 202), (60, 413)):
            weights = [[0.5] * len(ANIMALS)] * count
            for verb, arguments in (
                ("states", {"rows": [key] * count, "pooling": "last"}),
                ("gradients", {"rows": [key] * count}),
                ("sensitivities", {"prompts": prompts * count, "coefficients": weights}),
            ):
                assert client.post(verb, arguments).status_code == status
        assert len(client.run("lengths", {"rows": [key] * 1_000})["lengths"]) == 1_000
        assert any("reason=result-too-large " in line for line in server.lines)
