"""A model whose files change under a server that runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from d2b_gate.backends import fake
from d2b_gate.backends.fake import CARD, FakeBackend
from tests.server.process import until
from tests.server.support import FINAL, MODEL, ROWS, serving

if TYPE_CHECKING:
    from pathlib import Path

    from d2b_gate.core.ports import ModelCard
    from d2b_gate.core.rules import ModelSpec


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What stands for the files of a model: its revision."""
    weights = tmp_path / "weights"
    weights.write_text("old")

    class FromFiles(FakeBackend):
        def __init__(self, spec: ModelSpec) -> None:
            self._card = replace(CARD, revision=weights.read_text(), max_length=spec.max_length)

        @property
        def card(self) -> ModelCard:
            return self._card

    monkeypatch.setattr(fake, "open_backend", lambda spec, *_: FromFiles(spec))
    return weights


def test_no_card_of_new_files_is_put_over_old_weights(tmp_path: Path, files: Path) -> None:
    with serving(tmp_path / "state") as server:
        client = server.client()
        assert client.ask("POST", "/v1/model", {"model": MODEL}).json()["card"]["revision"] == "old"
        files.write_text("new")
        assert client.ask("POST", "/v1/model", {"model": MODEL}).json()["card"]["revision"] == "old"
        other = {**MODEL, "max_length": 12}
        for path, more in (("/v1/model", {}), ("/v1/jobs", {"verb": "lengths", "arguments": {"rows": []}})):
            answer = client.ask("POST", path, {"model": other, **more})
            assert (answer.status_code, answer.json()["error"]["kind"]) == (503, "unavailable")
            assert "start it again" in answer.json()["error"]["remedy"]
        files.write_text("old")
        assert client.ask("POST", "/v1/model", {"model": other}).json()["card"]["max_length"] == 12


def test_a_model_that_changed_before_it_was_loaded_is_not_loaded(tmp_path: Path, files: Path) -> None:
    with serving(tmp_path / "state") as server:
        client = server.client()
        client.send(ROWS[:1])
        client.ask("POST", "/v1/model", {"model": MODEL})
        files.write_text("new")
        name = client.post("lengths", {"rows": [ROWS[0].key]}).json()["job"]
        until(lambda: client.state(name)["state"] in FINAL)
        assert client.state(name)["error"]["kind"] == "unavailable"
