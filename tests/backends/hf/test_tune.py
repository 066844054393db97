from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from d2b_gate.backends.hf.tune import tune_vectors
from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.plan import TunePlan, TuneStep
from tests.models import BLOCKS, WIDTH, Silence, fresh_model, make_engine, tiny_backend
from tests.reference import mdf

RATE = 0.02


@pytest.fixture
def plan(rows):
    steps = (
        TuneStep((0, 2, 5), (0.5, 0.3, 0.2)),  # row 5 trains nothing
        TuneStep((1,), (1.0,)),
        TuneStep((5,), (1.0,)),  # a step that trains nothing at all
        TuneStep((3, 3, 4), (0.2, 0.2, 0.6)),  # a row twice, and one with no token to train
        TuneStep((2, 1, 0, 3), (0.4, 0.3, 0.2, 0.1)),
    )
    return TunePlan(rows, steps, RATE)


def naive(engine, plan, examples):
    steps = [[(*examples[i], weight) for i, weight in zip(s.rows, s.weights, strict=True)] for s in plan.steps]
    return mdf.tuned_vectors(engine.model, steps, plan.learning_rate, (plan.beta1, plan.beta2), plan.epsilon)


def tune(engine, plan):
    return tune_vectors(engine, plan, lambda: None)


def digest(model):
    content = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        content.update(name.encode() + tensor.numpy().tobytes())
    return content.hexdigest()


def test_tuning_equals_the_naive_loop(engine, plan, examples):
    injection = tune(engine, plan)
    assert [site.block for site in injection.sites] == list(range(BLOCKS))
    assert injection.vectors_ld.dtype == np.float32
    assert injection.scale == 1.0
    expected = naive(engine, plan, examples)
    assert np.abs(expected).max() > 2 * RATE
    # Adam divides by the gradient's own size: coordinates whose gradient is near zero carry its rounding error
    np.testing.assert_allclose(injection.vectors_ld, expected, atol=1e-4)
    assert np.median(np.abs(injection.vectors_ld - expected)) < 1e-6


def test_tuning_with_a_larger_epsilon_equals_the_naive_loop_closely(engine, plan, examples):
    """With a denominator that cannot vanish, rounding is not blown up."""
    plan = replace(plan, epsilon=1e-2, beta1=0.8, beta2=0.95)
    np.testing.assert_allclose(tune(engine, plan).vectors_ld, naive(engine, plan, examples), atol=1e-5)


def test_small_batches_accumulate_to_the_same_step(engine, plan):
    plan = replace(plan, epsilon=1e-2)
    together = tune(engine, plan).vectors_ld
    engine.runner.tokens = 1
    np.testing.assert_allclose(tune(engine, plan).vectors_ld, together, atol=1e-5)


def test_running_out_of_memory_in_a_step_counts_no_row_twice(engine, plan, monkeypatch):
    plan = replace(plan, epsilon=1e-2)
    together = tune(engine, plan).vectors_ld
    real = torch.autograd.grad
    failures = []

    def grad(loss, vectors):
        if engine.runner.tokens > 64:
            failures.append(engine.runner.tokens)
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(loss, vectors)

    monkeypatch.setattr(torch.autograd, "grad", grad)
    np.testing.assert_allclose(tune(engine, plan).vectors_ld, together, atol=1e-5)
    assert failures


def test_tuning_changes_no_parameter_and_leaves_nothing_behind(arch, plan):
    model, tokenizer, card = fresh_model(arch)
    engine = make_engine(model, tokenizer, card)
    before = digest(model)
    wanted = [parameter.requires_grad for parameter in model.parameters()]
    assert np.abs(tune(engine, plan).vectors_ld).max() > 0
    assert digest(model) == before
    assert all(parameter.grad is None for parameter in model.parameters())
    assert [parameter.requires_grad for parameter in model.parameters()] == wanted
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in [*engine.blocks, engine.head])


def test_tuning_lowers_the_loss(engine, rows, examples):
    steps = (TuneStep((0, 1), (0.5, 0.5)),) * 20
    vectors = tune(engine, TunePlan(rows, steps, 0.05)).vectors_ld

    def loss(added):
        tensors = list(torch.from_numpy(added))
        with torch.no_grad():
            return -sum(float(mdf.token_log_probs(engine.model, *examples[i], tensors).mean()) for i in (0, 1))

    assert loss(vectors) < loss(np.zeros((BLOCKS, WIDTH), dtype=np.float32)) - 1


def test_a_plan_without_steps_tunes_nothing(engine, rows):
    assert not tune(engine, TunePlan(rows, (), RATE)).vectors_ld.any()


def test_progress_is_told_of_every_step(arch, plan):
    progress = Silence()
    backend = tiny_backend(arch)
    backend._progress = progress
    backend.tune(plan)
    assert progress.advanced == len(plan.steps)


def test_a_loss_that_is_no_number_is_an_error(plan):
    model, tokenizer, card = fresh_model("llama")
    with torch.no_grad():
        model.get_output_embeddings().weight.fill_(float("nan"))
    with pytest.raises(EvaluationError, match="the loss is not a finite number") as caught:
        tune(make_engine(model, tokenizer, card), plan)
    assert "step_size" in caught.value.remedy


def test_a_gradient_that_is_no_number_is_an_error_even_in_the_last_step(engine, rows, monkeypatch):
    real = torch.autograd.grad
    monkeypatch.setattr(torch.autograd, "grad", lambda loss, of: [grad / 0.0 for grad in real(loss, of)])
    with pytest.raises(EvaluationError, match="the gradient is not a finite number"):
        tune(engine, TunePlan(rows, (TuneStep((0,), (1.0,)),), RATE))
