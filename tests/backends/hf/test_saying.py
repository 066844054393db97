from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from d2b_gate.backends.hf.asking import ask, opening
from d2b_gate.backends.hf.openset import read_vocabulary, texts_of
from d2b_gate.backends.hf.saying import complete_prompts
from d2b_gate.core.drawing import Greedy, Seeded
from d2b_gate.core.features import Injection, Site
from d2b_gate.core.reading import Prompt
from tests.models import BLOCKS, WIDTH, fresh_model, make_engine, tiny_tokenizer

NOTHING = Injection((), np.zeros((0, WIDTH), dtype=np.float32))
GREEDILY = [Greedy()] * 3
SHORT = Prompt("k", "default", "Name one.", "The", ("panda", "zebra"))


def ids_of(engine, prompt):
    return engine.tokenizer(opening(engine.tokenizer, prompt), add_special_tokens=False)["input_ids"]


def shares_after(engine, ids):
    with torch.inference_mode():
        return engine.model(torch.tensor([ids])).logits[0, -1].float().softmax(0).numpy()


def pushing(engine, word, strength=1e3):
    """Push the last block's output along a token's output embedding: the model then says that token."""
    push = engine.head.weight[engine.tokenizer.convert_tokens_to_ids(word)].detach().numpy()
    if engine.model.config.model_type == "gpt2":
        push = push - push.mean()  # its final norm centres
    return Injection((Site(BLOCKS - 1),), strength * push[None])


def likeliest(engine, prompt, count):
    """The naive way: one forward pass of the whole sequence per token."""
    ids, new = ids_of(engine, prompt), []
    while len(new) < count and engine.tokenizer.eos_token_id not in new:
        new.append(int(shares_after(engine, ids + new).argmax()))
    return new


def test_completing_greedily_says_the_likeliest_token_behind_the_lead(engine, prompts):
    answers = complete_prompts(engine, prompts, NOTHING, GREEDILY, max_tokens=6)
    for prompt, answer in zip(prompts, answers, strict=True):
        new = likeliest(engine, prompt, 6)
        assert answer == prompt.lead + engine.tokenizer.decode(new, skip_special_tokens=True)


@pytest.mark.parametrize("drawing", [Greedy(), Seeded(3)])
def test_completing_under_an_injection_follows_it(engine, prompts, drawing):
    answers = complete_prompts(engine, prompts[:1], pushing(engine, "Ġpanda"), [drawing], max_tokens=3)
    assert answers == (prompts[0].lead + " panda" * 3,)


def test_an_answer_ends_where_the_model_ends_it_beside_longer_ones(prompts):
    """Padding behind it may be any token: here one that says something."""
    model, tokenizer, card = fresh_model("llama")
    tokenizer.pad_token = "z"
    engine = make_engine(model, tokenizer, card)
    ids = likeliest(engine, prompts[0], 12)
    model.generation_config.eos_token_id = [ids[2]]
    said = complete_prompts(engine, prompts, NOTHING, GREEDILY, 12)
    assert said[0] == prompts[0].lead + tokenizer.decode(ids[: ids.index(ids[2])])
    assert any(len(one) > len(prompt.lead) + 5 for one, prompt in zip(said[1:], prompts[1:], strict=True))


def test_a_model_s_own_settings_change_nothing_and_say_nothing(prompts, monkeypatch):
    model, tokenizer, card = fresh_model("llama")
    engine = make_engine(model, tokenizer, card)
    plain = complete_prompts(engine, prompts, NOTHING, GREEDILY, max_tokens=12)
    own = {"repetition_penalty": 5.0, "do_sample": True, "temperature": 0.6, "top_p": 0.9, "top_k": 20, "max_length": 9}
    model.generation_config.update(**own)
    warned = []
    for module in ("utils", "configuration_utils"):
        logger = logging.getLogger(f"transformers.generation.{module}")
        monkeypatch.setattr(logger, "warning", lambda *words, **_: warned.append(words))
    assert complete_prompts(engine, prompts, NOTHING, GREEDILY, max_tokens=12) == plain
    assert warned == []


def test_seeds_draw_tokens_as_often_as_they_are_likely():
    model, tokenizer, card = fresh_model("llama")
    engine = make_engine(model, tokenizer, card)
    shares_v = shares_after(engine, ids_of(engine, SHORT))
    count = 600
    drawn = complete_prompts(engine, [SHORT] * count, NOTHING, [Seeded(seed) for seed in range(count)], 1)
    likely = Counter()  # several tokens may read alike: those that say nothing, and parts of a character
    for text, share in zip(texts_of(tokenizer, range(len(shares_v))), shares_v, strict=True):
        likely[SHORT.lead + text] += float(share)
    for text, share in likely.most_common(5):
        assert drawn.count(text) / count == pytest.approx(share, abs=4 * (share * (1 - share) / count) ** 0.5)


def test_the_same_noise_at_every_step_whatever_the_state(engine):
    """Two states of which one is a hair away draw the same words; noise of their own would part them at once."""
    near = replace(pushing(engine, "Ġpanda"), scale=1e-9)
    drawings = [Seeded(seed) for seed in range(3)]
    first, second = (complete_prompts(engine, [SHORT] * 3, one, drawings, 12) for one in (NOTHING, near))
    assert first == second
    assert len(set(first)) == 3


def test_shares_are_those_of_the_position_where_continuations_begin(engine, prompts):
    vocabulary = read_vocabulary(engine, prompts, NOTHING)
    asked = ask(engine.tokenizer, prompts)
    naive = np.mean([shares_after(engine, list(one.prefix)) for one in asked], axis=0)
    np.testing.assert_allclose(vocabulary.shares_v, naive, atol=5e-5)
    assert vocabulary.listed == tuple(sorted({ids[0] for one in asked for ids in one.continuations}))


def test_the_space_behind_a_lead_belongs_to_the_token(engine):
    vocabulary = read_vocabulary(engine, [SHORT], pushing(engine, "Ġpanda"))
    assert texts_of(engine.tokenizer, [int(vocabulary.shares_v.argmax())]) == (" panda",)
    assert int(vocabulary.shares_v.argmax()) in vocabulary.listed


def test_shares_do_not_depend_on_the_batch(engine, prompts):
    together = read_vocabulary(engine, prompts, NOTHING).shares_v
    tokens, engine.runner.tokens = engine.runner.tokens, 1
    np.testing.assert_allclose(read_vocabulary(engine, prompts, NOTHING).shares_v, together, atol=1e-5)
    engine.runner.tokens = tokens


def test_special_and_unknown_tokens_say_nothing():
    tokenizer = tiny_tokenizer()
    assert texts_of(tokenizer, [tokenizer.eos_token_id, len(tokenizer) + 7]) == ("", "")
