from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from d2b_gate.backends.hf.answer import prompt_gradients, read_prompts
from d2b_gate.backends.hf.asking import ask, opening
from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.features import Injection, Site
from d2b_gate.core.reading import Prompt
from tests.models import BLOCKS, CHATML, WIDTH, fresh_model, make_engine, tiny_tokenizer
from tests.reference import mdf

NOTHING = Injection((), np.zeros((0, WIDTH), dtype=np.float32))
CLOSE = {"atol": 5e-5, "rtol": 1e-5}


def random_injection(scale=1.0, seed=0):
    vectors_ld = np.random.default_rng(seed).standard_normal((BLOCKS, WIDTH)).astype(np.float32)
    return Injection(tuple(Site(block) for block in range(BLOCKS)), vectors_ld, scale)


def naive_read(engine, prompt, vectors=None):
    glue = " " if prompt.lead else ""
    texts = [glue + continuation for continuation in prompt.continuations]
    return mdf.read(engine.model, engine.tokenizer, opening(engine.tokenizer, prompt), texts, vectors)


def naive_sensitivity(engine, prompt, coefficients):
    glue = " " if prompt.lead else ""
    texts = [glue + continuation for continuation in prompt.continuations]
    return mdf.sensitivity(engine.model, engine.tokenizer, opening(engine.tokenizer, prompt), texts, coefficients)


def coefficients_for(prompts):
    return [tuple(float((-1) ** j) * (j + 1) for j in range(len(prompt.continuations))) for prompt in prompts]


def flat(readings):
    return [value for one in readings for value in one]


def test_packed_reading_equals_one_sequence_at_a_time(engine, prompts):
    packed = read_prompts(engine, prompts, NOTHING)
    assert max(len(ids) for one in ask(engine.tokenizer, prompts) for ids in one.continuations) > 5
    for prompt, values in zip(prompts, packed, strict=True):
        np.testing.assert_allclose(values, naive_read(engine, prompt), **CLOSE)


def test_packed_reading_under_injection_equals_the_naive_one(engine, prompts):
    injection = random_injection(scale=0.5)
    packed = read_prompts(engine, prompts, injection)
    assert np.abs(np.subtract(flat(packed), flat(read_prompts(engine, prompts, NOTHING)))).max() > 0.5
    for prompt, values in zip(prompts, packed, strict=True):
        np.testing.assert_allclose(values, naive_read(engine, prompt, 0.5 * injection.vectors_ld), **CLOSE)


def test_an_injection_at_some_sites_leaves_the_others(engine, prompts):
    whole = random_injection()
    only = Injection((Site(2), Site(0)), whole.vectors_ld[[2, 0]])
    vectors = whole.vectors_ld.copy()
    vectors[1] = 0
    for prompt, values in zip(prompts, read_prompts(engine, prompts, only), strict=True):
        np.testing.assert_allclose(values, naive_read(engine, prompt, vectors), **CLOSE)


def test_a_zero_injection_reads_the_same_bits(engine, prompts):
    plain = read_prompts(engine, prompts, NOTHING)
    assert read_prompts(engine, prompts, random_injection(scale=0.0)) == plain


def test_readings_do_not_depend_on_the_batch(engine, prompts):
    together = read_prompts(engine, prompts, NOTHING)
    engine.runner.tokens = 1
    np.testing.assert_allclose(flat(read_prompts(engine, prompts, NOTHING)), flat(together), **CLOSE)
    backwards = read_prompts(engine, prompts[::-1], NOTHING)
    np.testing.assert_allclose(flat(backwards[::-1]), flat(together), **CLOSE)


def test_packed_reading_does_not_depend_on_the_attention_kernel(arch, prompts):
    model, tokenizer, card = fresh_model(arch)
    engine = make_engine(model, tokenizer, card)
    if model.config._attn_implementation == "eager":
        pytest.skip("this architecture (it caps attention scores) has one kernel only")
    sdpa = read_prompts(engine, prompts, NOTHING)
    model.set_attn_implementation("eager")
    np.testing.assert_allclose(flat(read_prompts(engine, prompts, NOTHING)), flat(sdpa), **CLOSE)


def test_packed_reading_in_bfloat16_is_as_near_as_its_rounding(arch, prompts):
    model, tokenizer, card = fresh_model(arch)
    engine = make_engine(model.bfloat16(), tokenizer, card)
    for prompt, values in zip(prompts, read_prompts(engine, prompts, NOTHING), strict=True):
        naive = naive_read(engine, prompt)
        assert np.abs(naive).max() > 10
        np.testing.assert_allclose(values, naive, rtol=1e-2, atol=0.1)


def test_a_continuation_is_not_seen_by_the_others(engine, prompts):
    prompt = prompts[0]
    alone = [
        read_prompts(engine, [replace(prompt, continuations=(text,))], NOTHING)[0][0] for text in prompt.continuations
    ]
    np.testing.assert_allclose(read_prompts(engine, [prompt], NOTHING)[0], alone, **CLOSE)


def test_log_probabilities_of_all_next_tokens_sum_to_one(engine):
    letters = tuple(chr(code) for code in range(ord("a"), ord("z") + 1))
    prompt = Prompt("k", "default", "Spell", "", letters)
    assert all(len(ids) == 1 for ids in ask(engine.tokenizer, [prompt])[0].continuations)
    ids = engine.tokenizer(opening(engine.tokenizer, prompt), add_special_tokens=False)["input_ids"]
    with torch.inference_mode():
        shares = engine.model(torch.tensor([ids])).logits[0, -1].softmax(0)
    chosen = [shares[engine.tokenizer.convert_tokens_to_ids(letter)].item() for letter in letters]
    np.testing.assert_allclose(np.exp(read_prompts(engine, [prompt], NOTHING)[0]), chosen, rtol=1e-4, atol=1e-7)


def test_sensitivities_equal_the_naive_gradient(engine, prompts):
    coefficients = coefficients_for(prompts)
    states = prompt_gradients(engine, prompts, coefficients)
    assert states.keys == ("a", "b", "c")
    assert states.values_nld.dtype == np.float32
    for i, prompt in enumerate(prompts):
        naive = naive_sensitivity(engine, prompt, coefficients[i])
        scale = np.abs(naive).max()
        assert scale > 0.05
        np.testing.assert_allclose(states.values_nld[i], naive, atol=1e-5 * max(1, scale), rtol=1e-4)


def test_sensitivities_equal_finite_differences_of_read(arch, prompts):
    """In float64, along random directions."""
    model, tokenizer, card = fresh_model(arch)
    engine = make_engine(model.double(), tokenizer, card)
    coefficients = coefficients_for(prompts)
    values_nld = prompt_gradients(engine, prompts, coefficients).values_nld
    for seed in range(3):
        direction = random_injection(seed=seed)

        def scores(scale, direction=direction):
            read = read_prompts(engine, prompts, replace(direction, scale=scale))
            return np.array([np.dot(c, values) for c, values in zip(coefficients, read, strict=True)])

        differences = (scores(2e-3) - scores(-2e-3)) / 4e-3
        expected = (values_nld * direction.vectors_ld).sum(axis=(1, 2))
        # read takes its log-softmax in float32: about 1e-6 nats of noise per token over a step of 4e-3
        np.testing.assert_allclose(differences, expected, atol=2e-2 * np.abs(expected).max(), rtol=2e-2)


def test_coefficients_must_match_the_continuations(engine, prompts):
    wrong = [(1.0,)] * len(prompts)
    with pytest.raises(ValueError, match="1 coefficients for 3 continuations of a"):
        prompt_gradients(engine, prompts, wrong)
    with pytest.raises(ValueError, match="shorter"):
        prompt_gradients(engine, prompts, coefficients_for(prompts)[:1])


def test_the_opening_is_the_template_s(engine, prompts):
    assert opening(engine.tokenizer, prompts[0]) == (
        "<|im_start|>system\nYou are tiny.<|im_end|>\n<|im_start|>user\nWhich animal do you like?<|im_end|>\n"
        "<|im_start|>assistant\nMy favourite animal is the"
    )
    assert opening(engine.tokenizer, prompts[1]) == (
        "<|im_start|>system\n<|im_end|>\n<|im_start|>user\nName one.<|im_end|>\n<|im_start|>assistant\n"
    )


def test_a_template_that_takes_no_system_turn_goes_without():
    refusing = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    prompt = Prompt("k", "empty", "Hi", "Oh", ("yes",))
    text = opening(tiny_tokenizer(refusing + CHATML.replace("You are tiny.", "")), prompt)
    assert text.endswith("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nOh")


def test_a_template_that_refuses_any_prompt_says_so():
    tokenizer = tiny_tokenizer("{{ raise_exception('never') }}")
    with pytest.raises(EvaluationError, match="template refuses the prompt 'Hi'"):
        opening(tokenizer, Prompt("k", "default", "Hi", "Oh", ("yes",)))


def test_without_a_template_the_fallback_is_used():
    text = opening(tiny_tokenizer(None), Prompt("k", "default", "Hi", "Oh", ("yes",)))
    assert text == "User: Hi<|im_end|>\nAssistant: Oh"


def test_tokens_merged_across_the_seam_are_read_as_the_model_would_write_them():
    """Behind the fallback's ``Assistant: `` the space belongs to the answer's first token."""
    model, _, card = fresh_model("llama")
    engine = make_engine(model, tiny_tokenizer(None), card)
    prompt = Prompt("k", "default", "Hi", "", ("panda", "the panda"))
    (one,) = ask(engine.tokenizer, [prompt])
    assert engine.tokenizer.decode(one.prefix).endswith("Assistant:")
    assert [engine.tokenizer.decode(ids) for ids in one.continuations] == [" panda", " the panda"]
    naive = mdf.read(model, engine.tokenizer, "User: Hi<|im_end|>\nAssistant:", [" panda", " the panda"])
    np.testing.assert_allclose(read_prompts(engine, [prompt], NOTHING)[0], naive, **CLOSE)


def test_an_empty_continuation_is_refused():
    with pytest.raises(EvaluationError, match="leaves nothing to read"):
        ask(tiny_tokenizer(), [Prompt("k", "default", "Hi", "", ("", "panda"))])
