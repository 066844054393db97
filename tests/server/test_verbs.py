"""Every verb gives over HTTP what the backend itself gives."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from d2b_gate.backends.fake import CARD, FakeBackend
from d2b_gate.core.drawing import Greedy, Seeded
from d2b_gate.core.features import Injection, Kept
from d2b_gate.core.fingerprint import SPOKEN
from d2b_gate.core.remote import (
    PROTOCOL,
    heard_array,
    job_name,
    said_drawings,
    said_injection,
    said_prompts,
    said_training,
    said_tuning,
)
from d2b_gate.gate.between import joined
from tests.rounding import rounded
from tests.server.support import MODEL, PROMPTS, ROWS, TRAINING, TUNING, VECTORS, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server.support import Client

FAKE = FakeBackend()
KEYS = [row.key for row in ROWS]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    state: Path = tmp_path_factory.mktemp("serve") / "state"
    with serving(state) as running:
        yield running.client()


def test_the_model_is_told_with_its_card(client: Client) -> None:
    said = client.ask("POST", "/v1/model", {"model": MODEL}).json()
    assert (said["protocol"], said["feature_version"]) == (PROTOCOL, SPOKEN)
    assert said["card"]["tokenizer_hash"] == CARD.tokenizer_hash
    assert said["card"]["versions"] == []


def test_lengths(client: Client) -> None:
    expected = [[one.tokens, one.trained, one.cut] for one in FAKE.lengths(ROWS)]
    assert client.run("lengths", {"rows": KEYS}, ROWS) == {"lengths": expected}


@pytest.mark.parametrize("pooling", ["last", "response"])
def test_states(client: Client, pooling: str) -> None:
    said = client.run("states", {"rows": KEYS, "pooling": pooling}, ROWS)
    expected = rounded(FAKE.states(ROWS, "last" if pooling == "last" else "response").values_nld)
    assert np.array_equal(heard_array(said["values"], expected.shape), expected)


@pytest.mark.parametrize("count", [0, 1, 64, 65, 150])
def test_gradients_of_any_number_of_rows(client: Client, count: int) -> None:
    said = client.run("gradients", {"rows": KEYS[:count]}, ROWS[:count])
    expected = rounded(FAKE.gradients(ROWS[:count]).values_nld)
    assert np.array_equal(heard_array(said["values"], expected.shape), expected)


def test_tune(client: Client) -> None:
    said = client.run("tune", said_tuning(TUNING), TUNING.rows)
    expected = FAKE.tune(TUNING)
    assert said["sites"] == [site.block for site in expected.sites]
    assert said["scale"] == expected.scale
    assert np.array_equal(heard_array(said["vectors"], expected.vectors_ld.shape), expected.vectors_ld)


def test_finetune_keeps_the_adapter_and_reads_under_it(client: Client) -> None:
    name = job_name(CARD, "finetune", said_training(TRAINING))
    assert client.run("finetune", said_training(TRAINING), TRAINING.rows) == {"kept": name}
    kept = said_injection(Kept(((name, 1.0),)))
    said = client.run("read", {"prompts": said_prompts(PROMPTS), "injection": kept})
    expected = FAKE.read(PROMPTS, FAKE.finetune(TRAINING))
    assert said["log_probs"] == [list(one) for one in expected]


def test_adapters_are_mixed_as_they_are_at_home(client: Client) -> None:
    other = replace(TRAINING, seed=4, steps=TRAINING.steps[::-1])
    names = [job_name(CARD, "finetune", said_training(plan)) for plan in (TRAINING, other)]
    for plan in (TRAINING, other):
        client.run("finetune", said_training(plan), plan.rows)
    kept = said_injection(Kept(((names[0], 0.25), (names[1], 0.75))))
    said = client.run("read", {"prompts": said_prompts(PROMPTS), "injection": kept})
    mixed = joined([(FAKE.finetune(TRAINING), 0.25), (FAKE.finetune(other), 0.75)])
    assert said["log_probs"] == [list(one) for one in FAKE.read(PROMPTS, mixed)]


@pytest.mark.parametrize("injection", [VECTORS, Injection((), np.zeros((0, 16), dtype=np.float32))])
def test_read(client: Client, injection: Injection) -> None:
    said = client.run("read", {"prompts": said_prompts(PROMPTS), "injection": said_injection(injection)})
    assert said["log_probs"] == [list(one) for one in FAKE.read(PROMPTS, injection)]


def test_sensitivities(client: Client) -> None:
    weights = [(0.5, -0.25, float(index)) for index in range(len(PROMPTS))]
    said = client.run(
        "sensitivities", {"prompts": said_prompts(PROMPTS), "coefficients": [list(one) for one in weights]}
    )
    expected = FAKE.sensitivities(PROMPTS, weights).values_nld
    assert np.array_equal(heard_array(said["values"], expected.shape), expected)


def test_complete(client: Client) -> None:
    drawings = [Seeded(index) if index % 2 else Greedy() for index in range(len(PROMPTS))]
    arguments = {
        "prompts": said_prompts(PROMPTS),
        "injection": said_injection(VECTORS),
        "drawings": said_drawings(drawings),
        "max_tokens": 1,
    }
    assert client.run("complete", arguments) == {"answers": list(FAKE.complete(PROMPTS, VECTORS, drawings, 1))}


def test_vocabulary(client: Client) -> None:
    said = client.run("vocabulary", {"prompts": said_prompts(PROMPTS[:5]), "injection": said_injection(VECTORS)})
    expected = FAKE.vocabulary(PROMPTS[:5], VECTORS)
    assert said["listed"] == list(expected.listed)
    assert np.array_equal(heard_array(said["shares"], expected.shares_v.shape), expected.shares_v)


def test_token_texts(client: Client) -> None:
    assert client.run("token_texts", {"tokens": [3, 1, 2]}) == {"texts": list(FAKE.token_texts([3, 1, 2]))}
