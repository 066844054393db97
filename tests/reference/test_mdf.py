"""The naive reference against the backend, for the three methods from end to end."""

from __future__ import annotations

import numpy as np
import pytest

from d2b_gate.backends.hf.asking import opening
from d2b_gate.backends.hf.encode import encode_rows
from d2b_gate.core.features import Injection, Site, signature_of
from d2b_gate.core.plan import TunePlan, TuneStep
from tests.models import ARCHITECTURES, BLOCKS, MAX_LENGTH, sample_prompts, sample_rows, tiny_backend
from tests.reference import mdf

SITES = tuple(Site(block) for block in range(BLOCKS))
ALPHA, STRENGTH, RATE = 0.1, 0.05, 0.02


@pytest.fixture(params=ARCHITECTURES)
def backend(request):
    return tiny_backend(request.param)


@pytest.fixture
def model(backend):
    return backend.engine().model


@pytest.fixture
def rows():
    return [row for row in sample_rows() if row.trains and row.turns[0].role != "text"]


@pytest.fixture
def examples(backend, rows):
    return [(row.ids, row.targets) for row in encode_rows(backend.engine().tokenizer, rows, MAX_LENGTH)]


def mean_of(states):
    return signature_of(states, [1.0] * len(states.keys)).mean_ld().astype(np.float32)


def naive_reading(backend, vectors):
    engine = backend.engine()
    return [
        mdf.read(
            engine.model,
            engine.tokenizer,
            opening(engine.tokenizer, prompt),
            [f" {text}" if prompt.lead else text for text in prompt.continuations],
            vectors,
        )
        for prompt in sample_prompts()
    ]


def check_reading(backend, vectors_ld, reference_ld):
    """The backend's reading under its own vectors equals the naive reading under the reference's."""
    untouched = naive_reading(backend, None)
    moved = 0.0
    for mine, naive, plain in zip(
        backend.read(sample_prompts(), Injection(SITES, vectors_ld)),
        naive_reading(backend, reference_ld),
        untouched,
        strict=True,
    ):
        np.testing.assert_allclose(mine, naive, atol=2e-3, rtol=1e-4)
        moved = max(moved, np.abs(np.subtract(naive, plain)).max())
    assert moved > 0.1


def test_mdf_as_published(backend, model, rows, examples):
    mean_ld = mean_of(backend.states(rows, "last"))
    np.testing.assert_allclose(mean_ld, mdf.mdf_signature(model, examples), atol=1e-5, rtol=1e-5)
    check_reading(backend, np.float32(ALPHA) * mean_ld, mdf.mdf_injection(model, examples, ALPHA))


@pytest.mark.parametrize("preconditioner", ["identity", "sign"])
def test_mdf_gradient_injected(backend, model, rows, examples, preconditioner):
    mean_ld = mean_of(backend.gradients(rows))
    naive = mdf.mean_gradient(model, examples)
    np.testing.assert_allclose(mean_ld, naive, atol=1e-6 + 1e-5 * np.abs(naive).max())
    strength = STRENGTH if preconditioner == "sign" else 2.0
    pushed = np.float32(-strength) * (np.sign(mean_ld) if preconditioner == "sign" else mean_ld)
    check_reading(backend, pushed, mdf.gradient_injection(model, examples, strength, preconditioner))


@pytest.mark.parametrize("preconditioner", ["identity", "sign"])
def test_mdf_gradient_first_order(backend, model, rows, examples, preconditioner):
    engine = backend.engine()
    gradient = mdf.mean_gradient(model, examples)
    prompts = sample_prompts()
    coefficients = [tuple(1.0 if j == 0 else -1.0 for j in range(len(p.continuations))) for p in prompts]
    values_nld = backend.sensitivities(prompts, coefficients).values_nld
    mine_ld = mean_of(backend.gradients(rows))
    pushed = np.sign(mine_ld) if preconditioner == "sign" else mine_ld
    for prompt, weights, value_ld in zip(prompts, coefficients, values_nld, strict=True):
        texts = [f" {text}" if prompt.lead else text for text in prompt.continuations]
        start = opening(engine.tokenizer, prompt)
        sensitivity = mdf.sensitivity(model, engine.tokenizer, start, texts, weights)
        naive = mdf.first_order_shift(sensitivity, gradient, 0.5, preconditioner)
        assert abs(naive) > 1e-3
        assert -0.5 * float((value_ld * pushed).sum()) == pytest.approx(naive, rel=1e-3, abs=1e-4)


def test_the_first_order_shift_is_the_limit_of_the_injected_one(backend, model, examples):
    engine = backend.engine()
    prompt = sample_prompts()[0]
    start, texts = opening(engine.tokenizer, prompt), [f" {text}" for text in prompt.continuations[:2]]
    eta = 1e-2
    injected = mdf.gradient_injection(model, examples, eta, "identity")
    before = mdf.read(model, engine.tokenizer, start, texts)
    after = mdf.read(model, engine.tokenizer, start, texts, injected)
    sensitivity = mdf.sensitivity(model, engine.tokenizer, start, texts, (1.0, -1.0))
    predicted = mdf.first_order_shift(sensitivity, mdf.mean_gradient(model, examples), eta, "identity")
    assert (after[0] - before[0]) - (after[1] - before[1]) == pytest.approx(predicted, rel=0.1, abs=1e-4)


def test_mdf_tuned(backend, model, rows, examples):
    steps = (TuneStep((0, 1), (0.5, 0.5)), TuneStep((2, 0), (0.5, 0.5)), TuneStep((1,), (1.0,)))
    mine = backend.tune(TunePlan(tuple(rows), steps, RATE, epsilon=1e-3)).vectors_ld
    weighted = [[(*examples[i], w) for i, w in zip(s.rows, s.weights, strict=True)] for s in steps]
    naive = mdf.tuned_vectors(model, weighted, RATE, epsilon=1e-3)
    np.testing.assert_allclose(mine, naive, atol=1e-5)
    check_reading(backend, 10 * mine, 10 * naive)
