"""Every predictor against the naive one-row-at-a-time implementation, on tiny real models."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from d2b_gate.backends.hf.encode import encode_rows
from d2b_gate.core.mixture import Mixture, tune_plan
from d2b_gate.core.ports import Question
from d2b_gate.core.reading import Probe
from d2b_gate.core.rules import MethodSpec
from d2b_gate.predictors import gradient, mdf, tuned
from d2b_gate.probes import choice, contrast
from tests.models import MAX_LENGTH, sample_prompts, sample_rows, tiny_backend
from tests.reference import mdf as reference

METHOD = MethodSpec(steps=3, batch=4, sample=4, alpha=0.3, step_size=0.01)


@pytest.fixture(params=["llama", "qwen2", "gemma3", "gpt2"])
def backend(request):
    return tiny_backend(request.param)


def examples(backend, rows):
    encoded = encode_rows(backend.engine().tokenizer, rows, MAX_LENGTH)
    return [(row.ids, row.targets) for row in encoded]


def trained_rows():
    return tuple(row for row in sample_rows() if row.trains)


def test_mdf_is_the_plain_mean_of_last_token_states_at_strength_alpha(backend):
    rows = sample_rows()[:3]
    got = mdf.inject(Mixture(rows, (), 0.0, 0.0), METHOD, backend)
    expected = reference.mdf_injection(backend.engine().model, examples(backend, rows), METHOD.alpha)
    np.testing.assert_allclose(got.vectors_ld * got.scale, expected, atol=2e-5)


def test_mdf_weighs_changed_rows_by_their_true_share(backend):
    kept, changed = sample_rows()[:2], sample_rows()[2:3]
    got = mdf.inject(Mixture(kept, changed, 0.25, 1.0), METHOD, backend)
    states = reference.last_token_states(backend.engine().model, examples(backend, (*kept, *changed)))
    expected = 0.75 * states[:2].mean(axis=0) + 0.25 * states[2]
    np.testing.assert_allclose(got.vectors_ld, expected, atol=5e-5)


def test_the_gradient_feature_is_the_mean_gradient_divided_by_the_rows_root_mean_square(backend):
    rows = trained_rows()[:3]
    got = gradient.inject(Mixture(rows, (), 0.0, 0.0), METHOD, backend)
    gradients = reference.row_gradients(backend.engine().model, examples(backend, rows)).astype("float64")
    rms = np.sqrt((gradients**2).mean(axis=0))
    solid = rms > 1e-6  # elsewhere both are rounding
    expected = -gradients.mean(axis=0) / (rms + gradient.TINY)
    np.testing.assert_allclose(got.vectors_ld[solid], expected[solid], atol=2e-3)
    assert solid.mean() > 0.9
    assert got.scale == METHOD.alpha


def test_tuned_vectors_are_adams_on_the_planned_rows(backend):
    rows = trained_rows()
    mixture = Mixture(rows[:2], rows[2:3], 0.2, 1.0)
    plan = tune_plan(mixture, METHOD)
    got = tuned.inject(mixture, METHOD, backend)
    pairs = examples(backend, plan.rows)
    steps = [[(*pairs[i], weight) for i, weight in zip(s.rows, s.weights, strict=True)] for s in plan.steps]
    expected = reference.tuned_vectors(backend.engine().model, steps, METHOD.step_size)
    # Adam divides by the gradient's own size: where it is near zero, rounding is all there is
    assert np.median(np.abs(got.vectors_ld - expected)) < 1e-5
    assert np.corrcoef(got.vectors_ld.ravel(), expected.ravel())[0, 1] > 0.999


def question(kind, module):
    names = ("panda", "red panda")
    prompts = tuple(replace(prompt, continuations=names) for prompt in sample_prompts())
    probe = Probe("p", kind, "t", "d", "share", -1e6, 1e6, "c", "en", prompts, names, "digest")
    return Question(probe, names[0] if kind == "choice" else "", module, prompts)


@pytest.mark.parametrize(("kind", "module"), [("choice", choice), ("contrast", contrast)])
def test_first_order_readings_are_the_limit_of_injected_ones(backend, kind, module):
    rows = trained_rows()[:3]
    asked = (question(kind, module),)
    small = MethodSpec(alpha=1e-3)
    linear = MethodSpec(alpha=1e-3, reading="first-order")
    mixture = Mixture(rows, (), 0.0, 0.0)
    injection = gradient.inject(mixture, small, backend)
    untouched = type(injection)((), injection.vectors_ld[:0])
    start = np.array(gradient.read(asked, untouched, small, backend)[0].values)
    injected = np.array(gradient.read(asked, injection, small, backend)[0].values) - start
    first_order = np.array(gradient.read(asked, injection, linear, backend)[0].values) - start
    assert np.abs(injected).max() > 0
    np.testing.assert_allclose(first_order, injected, atol=0.1 * np.abs(injected).max() + 1e-5)
