"""Models that read trees of prompts wrong: they are found out, and read sequence by sequence."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import transformers
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig, Qwen2Config
from transformers.models.gpt_neo import GPTNeoConfig

from d2b_gate.backends.hf import trial
from d2b_gate.backends.hf.answer import prompt_gradients, read_prompts
from d2b_gate.backends.hf.asking import ask, opening
from d2b_gate.backends.hf.engine import make_engine
from d2b_gate.backends.hf.openset import read_vocabulary
from d2b_gate.backends.hf.trial import UNLIMITED, most_in_tree, window_of
from d2b_gate.core.features import Injection, Site
from d2b_gate.core.ports import ModelCard
from d2b_gate.core.reading import Prompt
from tests.models import BLOCKS, MAX_LENGTH, SPREAD, WIDTH, fresh_model, sample_prompts, tiny_tokenizer
from tests.reference import mdf

NOTHING = Injection((), np.zeros((0, WIDTH), dtype=np.float32))
IDS = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "initializer_range": SPREAD}
USUAL = {
    **IDS,
    "hidden_size": WIDTH,
    "intermediate_size": 48,
    "num_hidden_layers": BLOCKS,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
}
DELTA = {
    "head_dim": 8,
    "layer_types": ["linear_attention", "full_attention", "linear_attention"],
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
    "num_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 16,
    "shared_expert_intermediate_size": 16,
}
SCAN = {"mamba_d_ssm": 32, "mamba_n_heads": 4, "mamba_d_head": 8, "mamba_d_state": 8, "mamba_n_groups": 1}
LOCAL = {"num_layers": BLOCKS, "num_heads": 4, "max_position_embeddings": 256, "hidden_size": WIDTH}
ODD = {
    "window": ("MistralConfig", {**USUAL, "sliding_window": 8}),
    "wide-window": ("MistralConfig", {**USUAL, "sliding_window": 40}),  # the trial is shorter
    "local": (
        "GPTNeoConfig",
        {**IDS, **LOCAL, "window_size": 40, "attention_types": [[["global", "local", "global"], 1]]},
    ),
    "alibi-refusing": ("BloomConfig", {**IDS, "hidden_size": WIDTH, "n_layer": BLOCKS, "n_head": 4}),
    "alibi": (
        "FalconConfig",
        {**IDS, "hidden_size": WIDTH, "num_hidden_layers": BLOCKS, "num_attention_heads": 4, "alibi": True},
    ),
    "convolution": ("Lfm2Config", {**USUAL, "layer_types": ["conv", "full_attention", "conv"]}),
    "recurrence": ("Qwen3NextConfig", {**USUAL, **DELTA}),
    "scan": ("FalconH1Config", {**USUAL, **SCAN}),
}


def odd_engine(name, dtype=torch.float32):
    kind, settings = ODD[name]
    if not hasattr(transformers, kind):
        pytest.skip(f"this transformers has no {kind}")
    tokenizer = tiny_tokenizer()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = getattr(transformers, kind)(vocab_size=len(tokenizer), **settings)
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval().to(dtype)
    card = ModelCard(name, "0", "0", "float32", "cpu", BLOCKS, WIDTH, MAX_LENGTH, ())
    return make_engine(model, tokenizer, card)


def said(prompt):
    glue = " " if prompt.lead else ""
    return [glue + continuation for continuation in prompt.continuations]


def spelling():
    """Continuations of one token, which differ in it alone, beside some that differ in more."""
    return Prompt("d", "empty", "Spell.", "", ("a", "b", "panda", "pandas eat"))


@pytest.mark.parametrize("name", ODD)
def test_each_continuation_is_read_as_in_a_sequence_of_its_own(name):
    engine, prompts = odd_engine(name), (*sample_prompts(), spelling())
    vectors_ld = np.random.default_rng(0).standard_normal((BLOCKS, WIDTH)).astype(np.float32)
    injection = Injection(tuple(Site(block) for block in range(BLOCKS)), vectors_ld, 0.5)
    for one, vectors in ((NOTHING, None), (injection, 0.5 * vectors_ld)):
        for prompt, values in zip(prompts, read_prompts(engine, prompts, one), strict=True):
            start = opening(engine.tokenizer, prompt)
            naive = mdf.read(engine.model, engine.tokenizer, start, said(prompt), vectors)
            np.testing.assert_allclose(values, naive, atol=1e-4)


@pytest.mark.parametrize("name", ODD)
def test_sensitivities_are_those_of_sequences(name):
    engine, prompts = odd_engine(name), (*sample_prompts(), spelling())
    coefficients = [tuple((-1.0) ** j * (j + 1) for j in range(len(prompt.continuations))) for prompt in prompts]
    states = prompt_gradients(engine, prompts, coefficients)
    for prompt, each, values_ld in zip(prompts, coefficients, states.values_nld, strict=True):
        start = opening(engine.tokenizer, prompt)
        naive = mdf.sensitivity(engine.model, engine.tokenizer, start, said(prompt), each)
        assert np.abs(naive).max() > 0.05
        np.testing.assert_allclose(values_ld, naive, atol=2e-4 * max(1, np.abs(naive).max()), rtol=1e-3)


@pytest.mark.parametrize("name", ODD)
def test_shares_of_the_vocabulary_are_those_of_sequences(name):
    engine, prompts = odd_engine(name), sample_prompts()
    with torch.inference_mode():
        alone = [engine.model(torch.tensor([one.prefix])).logits[0, -1] for one in ask(engine.tokenizer, prompts)]
    mean_v = torch.stack(alone).softmax(1).mean(0)
    np.testing.assert_allclose(read_vocabulary(engine, prompts, NOTHING).shares_v, mean_v, atol=1e-5)


@pytest.mark.parametrize("name", ["window", "alibi", "alibi-refusing", "convolution", "recurrence", "scan"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_trial_finds_out(name, dtype):
    assert most_in_tree(odd_engine(name, dtype)) == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_a_usual_model_takes_trees_in_any_type(arch, dtype):
    model, tokenizer, card = fresh_model(arch)
    assert most_in_tree(make_engine(model.to(dtype), tokenizer, card)) == (128 if "gemma" in arch else UNLIMITED)


def test_a_model_that_takes_trees_is_tried_once_and_then_reads_trees(monkeypatch):
    engine, prompts = make_engine(*fresh_model("llama")), sample_prompts()
    passes = []
    engine.model.register_forward_pre_hook(lambda *_: passes.append(1))
    state = torch.get_rng_state()
    most_in_tree(engine)
    assert len(passes) == 2
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(
        one._forward_hooks or one._forward_pre_hooks for one in engine.model.modules() if one is not engine.model
    )
    monkeypatch.setattr(trial, "path_batch", None)
    read_prompts(engine, prompts, NOTHING)
    prompt_gradients(engine, prompts, [(1.0,) * len(prompt.continuations) for prompt in prompts])
    assert len(passes) == 4


def test_a_model_that_rounds_more_is_held_to_its_own_rounding(monkeypatch):
    model, tokenizer, card = fresh_model("llama")
    engine = make_engine(model, tokenizer, card)
    monkeypatch.setattr(trial, "LEAST", 0.0)
    monkeypatch.setattr(trial, "ROUNDINGS", 0)
    assert most_in_tree(engine) == UNLIMITED
    assert most_in_tree(odd_engine("convolution")) == 0


def test_only_prompts_longer_than_a_window_are_read_alone():
    engine, prompts = odd_engine("wide-window"), sample_prompts()
    sizes = []
    engine.model.register_forward_pre_hook(
        lambda _module, _inputs, named: sizes.append(named["attention_mask"].ndim), with_kwargs=True
    )
    most_in_tree(engine)
    read_prompts(engine, prompts, NOTHING)
    assert sizes[2:] == [4, 2]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (LlamaConfig(), UNLIMITED),
        (Qwen2Config(sliding_window=8), UNLIMITED),
        (Qwen2Config(sliding_window=8, use_sliding_window=True, max_window_layers=99), UNLIMITED),
        (Qwen2Config(sliding_window=8, use_sliding_window=True, max_window_layers=1), 8),
        (MistralConfig(sliding_window=None), UNLIMITED),
        (MistralConfig(sliding_window=16), 16),
        (GPTNeoConfig(window_size=32), 32),
        (GPTNeoConfig(window_size=32, attention_types=[[["global"], 24]]), UNLIMITED),
    ],
)
def test_the_narrowest_window_of_a_configuration(config, expected):
    assert window_of(config) == expected


def test_windows_of_layers_and_chunks_count():
    class Layers:
        attention_window = (64, 16, 0)

    class Chunks:
        layer_types = ("full_attention", "chunked_attention")
        attention_chunk_size = 24

    assert window_of(Layers()) == 16
    assert window_of(Chunks()) == 24
