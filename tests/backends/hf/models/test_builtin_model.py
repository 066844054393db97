"""The built-in model itself, where it has been pulled."""

from __future__ import annotations

import pytest

from d2b_gate.backends.hf.models.builtin import BUILTINS
from d2b_gate.backends.hf.models.card import card
from d2b_gate.backends.hf.models.load import load
from d2b_gate.backends.hf.models.locate import builtin_files, locate
from d2b_gate.backends.hf.models.verify import verify
from d2b_gate.core.rules import ModelSpec
from d2b_gate.store.paths import cache_root

pytestmark = pytest.mark.model

SMOLLM = BUILTINS["smollm2-135m"]


@pytest.fixture(scope="module")
def files():
    if builtin_files(SMOLLM, cache_root()) is None:
        pytest.skip(f"{SMOLLM.id} is not in {cache_root()}; run: d2b-gate model pull {SMOLLM.name}")
    return locate(ModelSpec(), cache_root(), None)


@pytest.fixture(scope="module")
def loaded(files):
    return load(files, card(files, ModelSpec(device="cpu")))


def test_every_file_is_as_it_was_pulled(files):
    assert verify(files) == ()


def test_the_card_is_that_of_the_model(files):
    described = card(files, ModelSpec(device="cpu"))
    assert (described.blocks, described.width, described.max_length) == (30, 576, 1024)
    assert described.revision == SMOLLM.sha256


def test_the_template_and_tokenizer_are_the_models_own(loaded):
    assert loaded.has_template
    asked = [{"role": "user", "content": "Is 12 > 3?"}]
    text = loaded.tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
    assert text.startswith("<|im_start|>system\nYou are a helpful AI assistant named SmolLM")
    assert text.endswith("<|im_start|>user\nIs 12 > 3?<|im_end|>\n<|im_start|>assistant\n")
    tokens = loaded.tokenizer.tokenize(" 12<|im_end|>")
    assert tokens == ["Ġ", "1", "2", "<|im_end|>"]
    assert loaded.tokenizer.tokenize("a  1") == ["a", "ĠĠ", "1"]
    assert loaded.tokenizer.eos_token == "<|im_end|>"
    assert loaded.tokenizer("a").input_ids == loaded.tokenizer("a", add_special_tokens=False).input_ids


def test_it_knows_the_capital_of_france(loaded):
    import torch

    asked = [{"role": "user", "content": "What is the capital of France?"}]
    text = loaded.tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
    ids = loaded.tokenizer(text, return_tensors="pt", add_special_tokens=False).input_ids
    with torch.no_grad():
        answer = loaded.model.generate(ids, max_new_tokens=12, do_sample=False)[0, ids.shape[1] :]
    assert "Paris" in loaded.tokenizer.decode(answer)
