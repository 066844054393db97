"""A model that accelerate has spread: its hooks move what passes between parts, and ours read and write beside them.

There are no two devices on a CPU: the parts here lie in memory or on disk, behind the same hooks.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from accelerate import dispatch_model

from d2b_gate.backends.hf.backend import HfBackend
from d2b_gate.backends.hf.engine import make_engine
from d2b_gate.core.features import Injection
from d2b_gate.core.finetune import finetune_plan
from d2b_gate.core.plan import TunePlan, TuneStep
from d2b_gate.core.rules import Regime
from tests.models import Silence, fresh_model, sample_prompts, sample_rows, tiny_backend

ROWS, PROMPTS = sample_rows(), sample_prompts()
HEAD = ("model.embed_tokens", "model.norm", "model.rotary_emb", "lm_head")
REGIME = Regime(rank=4, alpha=8.0, learning_rate=5e-3, epochs=1, batch_size=2)


def pushed(backend):
    vectors_ld = np.random.default_rng(0).standard_normal((backend.card.blocks, backend.card.width))
    return Injection(backend.card.sites, vectors_ld.astype(np.float32), 0.5)


def tuned(backend):
    return backend.tune(TunePlan(ROWS, (TuneStep((0, 1), (0.5, 0.5)), TuneStep((2, 3), (0.5, 0.5))), 0.02)).vectors_ld


def sensitive(backend):
    coefficients = [tuple(1.0 - j for j in range(len(prompt.continuations))) for prompt in PROMPTS]
    return backend.sensitivities(PROMPTS, coefficients).values_nld


VERBS = {
    "last": lambda backend: backend.states(ROWS, "last").values_nld,
    "response": lambda backend: backend.states(ROWS, "response").values_nld,
    "gradients": lambda backend: backend.gradients(ROWS).values_nld,
    "read": lambda backend: np.concatenate(backend.read(PROMPTS, pushed(backend))),
    "sensitivities": sensitive,
    "tune": tuned,
    "vocabulary": lambda backend: backend.vocabulary(PROMPTS, pushed(backend)).shares_v,
}
TRAINING = {
    "finetune": lambda backend: np.concatenate(
        [up.ravel() for up in backend.finetune(finetune_plan(ROWS, REGIME, 0)).ups]
    ),
    "read under an adapter": lambda backend: np.concatenate(
        backend.read(PROMPTS, tiny_backend("llama").finetune(finetune_plan(ROWS, REGIME, 0)))
    ),
}


def spread(folder, blocks):
    """The tiny Llama with each block behind accelerate's hooks, at the place that is named for it."""
    model, tokenizer, card = fresh_model("llama")
    model.requires_grad_(requires_grad=False)
    device_map = {**dict.fromkeys(HEAD, "cpu"), **{f"model.layers.{i}": place for i, place in enumerate(blocks)}}
    model = dispatch_model(model, device_map, main_device="cpu", offload_dir=str(folder / "weights"), force_hooks=True)
    assert all(hasattr(layer, "_hf_hook") for layer in model.model.layers)
    return HfBackend(card, lambda: make_engine(model, tokenizer, card), Silence(), Path(folder))


@pytest.fixture(scope="module")
def in_parts(tmp_path_factory):
    return spread(tmp_path_factory.mktemp("parts"), ("cpu", "cpu", "cpu"))


@pytest.fixture(scope="module")
def on_disk(tmp_path_factory):
    backend = spread(tmp_path_factory.mktemp("disk"), ("cpu", "disk", "disk"))
    assert backend.engine().model.model.layers[2].self_attn.q_proj.weight.device.type == "meta"
    return backend


@pytest.mark.parametrize("verb", [*VERBS, *TRAINING])
def test_a_model_in_parts_gives_what_the_whole_one_gives(in_parts, verb):
    run = {**VERBS, **TRAINING}[verb]
    whole = run(tiny_backend("llama"))
    assert np.abs(whole).max() > 1e-3
    np.testing.assert_allclose(run(in_parts), whole, atol=1e-6)


@pytest.mark.parametrize("verb", VERBS)
def test_weights_that_are_fetched_for_each_pass_give_the_same(on_disk, verb):
    np.testing.assert_allclose(VERBS[verb](on_disk), VERBS[verb](tiny_backend("llama")), atol=1e-6)
