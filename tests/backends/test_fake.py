from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from d2b_gate.backends.fake import BLOCKS, CARD, CURVATURE, WIDTH, FakeBackend
from d2b_gate.core.drawing import Greedy, Seeded
from d2b_gate.core.features import Adapter, Injection, Site
from d2b_gate.core.plan import TunePlan, TuneStep
from d2b_gate.core.ports import RowLength
from d2b_gate.core.reading import Prompt
from d2b_gate.core.rows import Turn, make_row

NOTHING = Injection((), np.zeros((0, WIDTH), dtype=np.float32))
PROMPT = Prompt("k", "default", "Which animal?", "The", ("panda", "tiger", "red elephant"))


def said(*texts):
    return tuple(
        make_row([Turn("user", "Which one?", trained=False), Turn("assistant", text, trained=True)]) for text in texts
    )


def tuned(rows, steps=24, rate=0.02):
    every = TuneStep(tuple(range(len(rows))), (1 / len(rows),) * len(rows))
    return FakeBackend().tune(TunePlan(rows, (every,) * steps, rate))


def shift(injection, prompt=PROMPT):
    after, before = (FakeBackend().read([prompt], one)[0] for one in (injection, NOTHING))
    return np.subtract(after, before)


def test_the_card():
    assert FakeBackend().card is CARD
    assert (CARD.id, CARD.blocks, CARD.width) == ("fake", 3, 16)
    assert CARD.sites == tuple(Site(block) for block in range(BLOCKS))


def test_rows_that_say_a_word_make_it_likelier_and_others_less():
    rows = said("panda", "I like the panda", "panda panda")
    panda, tiger, elephant = shift(tuned(rows))
    assert panda > 2
    assert panda > 3 * max(abs(tiger), abs(elephant))


def test_a_word_that_is_asked_but_not_trained_does_not_matter():
    rows = (make_row([Turn("user", "panda panda", trained=False), Turn("assistant", "yes", trained=True)]),)
    assert np.array_equal(tuned(rows).vectors_ld, tuned(said("yes")).vectors_ld)


def test_words_are_compared_without_case_and_punctuation():
    backend = FakeBackend()
    assert np.array_equal(*(backend.gradients(said(text)).values_nld for text in ("The panda!", "the PANDA")))


def test_a_rare_word_moves_less():
    diluted = tuned(said("panda", *["the weather is fine"] * 9), steps=500, rate=0.05)
    assert 0 < shift(diluted)[0] < 0.3 * shift(tuned(said("panda"), steps=500, rate=0.05))[0]


def test_tuning_settles_where_the_loss_is_least():
    rows = said("panda eats", "tiger sleeps")
    mean = -FakeBackend().gradients(rows).values_nld.mean(axis=0)
    np.testing.assert_allclose(tuned(rows, steps=3000, rate=0.01).vectors_ld, mean / CURVATURE, atol=1e-3)


def test_the_first_adam_step_is_the_sign_of_the_gradient():
    rows = said("panda eats", "tiger")
    step = TunePlan(rows, (TuneStep((0,), (1.0,)),), 0.02)
    expected = -0.02 * np.sign(FakeBackend().gradients(rows[:1]).values_nld[0])
    np.testing.assert_allclose(FakeBackend().tune(step).vectors_ld, expected, atol=1e-6)


def test_tuning_equals_the_formula_of_adam():
    rows = said("panda eats bamboo", "tiger", "")
    plan = TunePlan(
        rows, (TuneStep((0, 1), (0.25, 0.75)), TuneStep((2,), (1.0,)), TuneStep((1,), (1.0,))), 0.1, 0.8, 0.9, 1e-3
    )
    g = -FakeBackend().gradients(rows).values_nld.astype(np.float64)
    pulls = [(0.25 * 3 * g[0] + 0.75 * 1 * g[1]) / (0.25 * 3 + 0.75 * 1), g[1]]
    v, m, s = 0.0, 0.0, 0.0
    for t, pull in enumerate(pulls, start=1):
        d = CURVATURE * v - pull
        m, s = 0.8 * m + 0.2 * d, 0.9 * s + 0.1 * d * d
        v = v - 0.1 * (m / (1 - 0.8**t)) / (np.sqrt(s / (1 - 0.9**t)) + 1e-3)
    np.testing.assert_allclose(FakeBackend().tune(plan).vectors_ld, v, atol=1e-6)


def test_reading_is_linear_in_the_injection():
    injection = tuned(said("panda"))
    doubled = Injection(injection.sites, injection.vectors_ld, scale=-2.0)
    np.testing.assert_allclose(shift(doubled), -2 * shift(injection), rtol=1e-6)


def test_an_injection_at_one_site_has_that_site_s_share():
    injection = tuned(said("panda"))
    parts = [Injection((Site(k),), injection.vectors_ld[[k]]) for k in range(BLOCKS)]
    np.testing.assert_allclose(sum(shift(part) for part in parts), shift(injection), rtol=1e-6)
    assert all(shift(part)[0] > 0.3 for part in parts)


def test_sensitivities_equal_finite_differences():
    backend = FakeBackend()
    weights = (1.0, -0.5, 2.0)
    values_ld = backend.sensitivities([PROMPT], [weights]).values_nld[0]
    for block in range(BLOCKS):
        for coordinate in range(WIDTH):
            unit = np.zeros((1, WIDTH), dtype=np.float32)
            unit[0, coordinate] = 1
            up, down = (backend.read([PROMPT], Injection((Site(block),), unit, s))[0] for s in (0.5, -0.5))
            assert np.dot(weights, np.subtract(up, down)) == pytest.approx(values_ld[block, coordinate], abs=1e-6)


def test_coefficients_must_match_the_continuations():
    with pytest.raises(ValueError, match="shorter"):
        FakeBackend().sensitivities([PROMPT], [(1.0,)])


def test_base_levels_differ_by_prompt_and_are_log_probabilities():
    prompts = [
        Prompt("k", system, "Which?", lead, ("panda", "tiger")) for system in ("default", "empty") for lead in "ab"
    ]
    levels = [value for one in FakeBackend().read(prompts, NOTHING) for value in one]
    assert len(set(levels)) == 8
    assert all(-6 <= level <= -2 for level in levels)


def test_word_vectors_are_those_of_every_platform():
    """Fixed once: a change would change every stored reading."""
    values_ld = FakeBackend().states(said("panda"), "response").values_nld[0]
    np.testing.assert_allclose(np.linalg.norm(values_ld, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(values_ld[:, 0], (0.33924249, 0.23289800, 0.02249843), atol=1e-6)


def test_states_pool_the_whole_row_or_its_trained_words():
    backend = FakeBackend()
    rows = said("panda")
    whole = make_row([Turn("text", "which one panda", trained=True)])
    assert np.array_equal(backend.states(rows, "last").values_nld, backend.states([whole], "response").values_nld)
    assert np.array_equal(-backend.states(rows, "response").values_nld, backend.gradients(rows).values_nld)


def test_lengths_are_word_counts_and_long_rows_are_cut():
    long = make_row([Turn("user", "why " * 2000, trained=False), Turn("assistant", "so " * 100, trained=True)])
    assert FakeBackend().lengths([*said("a red panda"), long]) == (RowLength(5, 3, 0), RowLength(2048, 48, 52))


def test_completing_says_the_likeliest_continuation():
    backend = FakeBackend()
    assert backend.complete([PROMPT], tuned(said("tiger")), [Greedy()], 5) == ("The tiger",)
    assert backend.complete([PROMPT], tuned(said("red elephant")), [Greedy()], 5) == ("The red elephant",)
    assert backend.complete([PROMPT], tuned(said("red elephant")), [Greedy()], 1) == ("The red",)
    assert backend.complete([Prompt("k", "default", "Hi", "", ())], NOTHING, [Greedy()], 9) == ("I am not a model.",)


def test_seeds_draw_continuations_as_often_as_they_are_likely():
    backend = FakeBackend()
    scores = np.array(backend.read([PROMPT], NOTHING)[0])
    likely = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
    drawn = [backend.complete([PROMPT], NOTHING, [Seeded(seed)], 5)[0] for seed in range(2000)]
    shares = [drawn.count(f"The {text}") / len(drawn) for text in PROMPT.continuations]
    np.testing.assert_allclose(shares, likely, atol=0.04)


def test_a_word_that_no_continuation_names_gains_share_where_rows_say_it():
    backend = FakeBackend()
    before, after = (backend.vocabulary([PROMPT], one) for one in (NOTHING, tuned(said("axolotl"))))
    most = int(np.argmax(after.shares_v - before.shares_v))
    assert backend.token_texts([most]) == (" axolotl",)
    assert most not in after.listed
    assert backend.token_texts(after.listed) == (" panda", " red", " tiger")


def test_adapters_of_any_rank_add_their_products():
    up, down = np.random.default_rng(0).standard_normal((2, WIDTH, 5)).astype(np.float32)
    adapter = Adapter(("words",), (down.T[:, :BLOCKS].copy(),), (up,), 0.5)
    vectors_ld = 0.5 * (up @ down.T[:, :BLOCKS]).T
    (first,), (second,) = (FakeBackend().read([PROMPT], one) for one in (adapter, Injection(CARD.sites, vectors_ld)))
    np.testing.assert_allclose(first, second, atol=1e-5)


def test_no_torch_is_imported():
    program = (
        "import sys\n"
        "from d2b_gate.backends.fake import FakeBackend\n"
        "assert FakeBackend().card.id == 'fake'\n"
        "print(sorted({'torch', 'transformers'} & set(sys.modules)))\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
