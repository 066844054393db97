"""A real, if tiny, model behind the server: the same numbers, one model in memory, trainings apart."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from d2b_gate.backends.hf.opening import open_backend
from d2b_gate.core.features import Injection, Kept
from d2b_gate.core.packing import RELATIVE_ERROR
from d2b_gate.core.plan import TunePlan, TuneStep
from d2b_gate.core.remote import heard_array, job_name, said_injection, said_prompts, said_training, said_tuning
from d2b_gate.core.rules import ModelSpec
from d2b_gate.server.watch import Relay
from tests.models import fresh_model
from tests.server.process import until
from tests.server.support import PROMPTS, ROWS, TRAINING, Client, Running, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from d2b_gate.backends.hf.backend import HfBackend

KEYS = [one.key for one in ROWS]
CLOSE = 1e-4


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> ModelSpec:
    folder = tmp_path_factory.mktemp("tiny")
    model, tokenizer, _ = fresh_model("llama")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return ModelSpec(str(folder), device="cpu", max_length=96)


@pytest.fixture(scope="module")
def server(spec: ModelSpec, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    state: Path = tmp_path_factory.mktemp("serve") / "state"
    with serving(state, backend="local", models=(spec,), devices=("cpu",), preload=True) as running:
        yield running


@pytest.fixture(scope="module")
def home(spec: ModelSpec, tmp_path_factory: pytest.TempPathFactory) -> HfBackend:
    return open_backend(spec, tmp_path_factory.mktemp("cache"), None, Relay(lambda _: None))


def ask(client: Client, spec: ModelSpec, home: HfBackend, verb: str, arguments: dict[str, object]) -> dict[str, Any]:
    model = {name: getattr(spec, name) for name in ("id", "revision", "dtype", "max_length", "sha256")}
    client.send(ROWS)
    name = client.ask("POST", "/v1/jobs", {"model": model, "verb": verb, "arguments": arguments}).json()["job"]
    assert name == job_name(home.card, verb, arguments)
    assert client.follow(name)[-1]["state"] == "done"
    return client.result(name)


def test_lengths_follow_the_length_that_the_client_asks_for(
    server: Running, spec: ModelSpec, home: HfBackend, tmp_path: Path
) -> None:
    short = replace(spec, max_length=12)
    shorter = open_backend(short, tmp_path, None, Relay(lambda _: None))
    for one, backend in ((spec, home), (short, shorter)):
        said = ask(server.client(), one, backend, "lengths", {"rows": KEYS[:20]})
        assert said["lengths"] == [[row.tokens, row.trained, row.cut] for row in backend.lengths(ROWS[:20])]
    loaded = {id(one.engine().model) for one in server.server._house.served._opened.values()}
    assert len(loaded) == 1


def test_states_and_gradients(server: Running, spec: ModelSpec, home: HfBackend) -> None:
    for verb, arguments, expected in (
        ("states", {"rows": KEYS, "pooling": "response"}, home.states(ROWS, "response")),
        ("gradients", {"rows": KEYS}, home.gradients(ROWS)),
    ):
        said = ask(server.client(), spec, home, verb, arguments)
        values = heard_array(said["values"], expected.values_nld.shape)
        allowed = (CLOSE + RELATIVE_ERROR) * max(1.0, np.abs(expected.values_nld).max())
        assert np.abs(values - expected.values_nld).max() < allowed


def test_a_tuning_and_a_training_and_what_is_read_under_them(server: Running, spec: ModelSpec, home: HfBackend) -> None:
    client = server.client()
    plan = TunePlan(tuple(ROWS[:9]), tuple(TuneStep((i, i + 1), (0.25, 0.75)) for i in range(8)), 0.02)
    said = ask(client, spec, home, "tune", said_tuning(plan))
    tuned = home.tune(plan)
    assert np.abs(heard_array(said["vectors"], tuned.vectors_ld.shape) - tuned.vectors_ld).max() < CLOSE
    trained = ask(client, spec, home, "finetune", said_training(TRAINING))
    kept = Kept(((trained["kept"], 1.0),))
    nothing = Injection((), np.zeros((0, home.card.width), dtype=np.float32))
    readings = []
    for injection, here in ((nothing, nothing), (tuned, tuned), (kept, home.finetune(TRAINING))):
        arguments = {"prompts": said_prompts(PROMPTS), "injection": said_injection(injection)}
        readings.append(np.array(ask(client, spec, home, "read", arguments)["log_probs"]))
        assert np.abs(readings[-1] - np.array(home.read(PROMPTS, here))).max() < CLOSE
    assert np.abs(readings[0] - readings[1]).max() > 100 * CLOSE
    assert np.abs(readings[0] - readings[2]).max() > 100 * CLOSE
    apart = server.server._house.served.backend(spec, "cpu", server.settings.state / "apart")
    assert apart._work == server.settings.state / "apart"
    assert server.metric("model_loaded", device="cpu", model=spec.id) == 1


def test_a_training_that_is_cancelled_leaves_the_model_as_it_was(
    server: Running, spec: ModelSpec, home: HfBackend
) -> None:
    client = server.client()
    long = replace(TRAINING, steps=TRAINING.steps * 100)
    client.send(ROWS)
    model = {name: getattr(spec, name) for name in ("id", "revision", "dtype", "max_length", "sha256")}
    body = {"model": model, "verb": "finetune", "arguments": said_training(long)}
    name = client.ask("POST", "/v1/jobs", body).json()["job"]
    until(lambda: client.state(name)["done"] > 0)
    client.ask("DELETE", f"/v1/jobs/{name}")
    assert client.follow(name)[-1]["state"] == "cancelled"
    said = ask(client, spec, home, "states", {"rows": KEYS[:50], "pooling": "last"})
    expected = home.states(ROWS[:50], "last").values_nld
    allowed = (CLOSE + RELATIVE_ERROR) * np.abs(expected).max()
    assert np.abs(heard_array(said["values"], expected.shape) - expected).max() < allowed
