"""What every backend must keep to: the port's contract, for each implementation in turn."""

from __future__ import annotations

import math
from contextlib import contextmanager, nullcontext

import numpy as np
import pytest

from d2b_gate.backends.fake import FakeBackend
from d2b_gate.backends.remote.binding import Bound
from d2b_gate.backends.remote.opening import connect
from d2b_gate.cli.progress import Silent
from d2b_gate.core.drawing import Greedy, Seeded
from d2b_gate.core.features import Injection, Kept, Site
from d2b_gate.core.finetune import FinetunePlan, finetune_plan
from d2b_gate.core.plan import TunePlan, TuneStep
from d2b_gate.core.ports import ModelCard, RowLength
from d2b_gate.core.reading import Prompt
from d2b_gate.core.rules import ModelSpec, Regime
from tests.backends.ray.clusters import fake_workers
from tests.models import sample_prompts, sample_rows, tiny_backend
from tests.server.support import TOKEN, serving


@pytest.fixture(autouse=True)
def without_a_model(monkeypatch):
    monkeypatch.setenv("D2B_GATE_ALLOW_FAKE", "1")


@contextmanager
def served(folder):
    """A client of a server that runs the fake model; a warm server speaks the same way and differs in who starts it."""
    with serving(folder / "state") as running:
        yield connect(Bound(running.url, TOKEN), ModelSpec(), Silent(quiet=True))


BACKENDS = {
    "fake": lambda _folder: nullcontext(FakeBackend()),
    "local": lambda _folder: nullcontext(tiny_backend("llama")),
    "remote": served,
    "warm": served,
    "ray": lambda _folder: nullcontext(fake_workers()),
}
"""By the names of the registry."""
FEATURES = {
    "last": lambda backend, rows: backend.states(rows, "last"),
    "response": lambda backend, rows: backend.states(rows, "response"),
    "gradients": lambda backend, rows: backend.gradients(rows),
}
REGIME = Regime(rank=4, alpha=8.0, learning_rate=5e-3, epochs=2, batch_size=2)
CLOSE = {"atol": 5e-5, "rtol": 1e-5}


@pytest.fixture(params=BACKENDS)
def backend(request, tmp_path, without_a_model):
    with BACKENDS[request.param](tmp_path) as opened:
        yield opened


@pytest.fixture(params=FEATURES)
def feature(request):
    return FEATURES[request.param]


@pytest.fixture
def rows():
    return sample_rows()


@pytest.mark.parametrize("blocks", [(0,), (1,), (1, 0)])
def test_states_at_some_sites_are_those_of_all_sites_there(backend, rows, blocks):
    every = backend.states(rows, "response")
    some = backend.states(rows, "response", tuple(Site(block) for block in blocks))
    assert [site.block for site in some.sites] == list(blocks)
    np.testing.assert_allclose(some.values_nld, every.values_nld[:, list(blocks)], atol=1e-5, rtol=1e-5)


@pytest.fixture
def prompts():
    return sample_prompts()


def nothing(backend):
    return Injection((), np.zeros((0, backend.card.width), dtype=np.float32))


def everywhere(backend, scale=1.0):
    shape = (backend.card.blocks, backend.card.width)
    vectors_ld = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    return Injection(backend.card.sites, vectors_ld, scale)


def contrast(prompts):
    return [tuple(1.0 if j == 0 else -1.0 for j in range(len(prompt.continuations))) for prompt in prompts]


def plan_for(rows):
    return TunePlan(rows, (TuneStep((0, 1), (0.5, 0.5)), TuneStep((2, 3, 0), (0.5, 0.3, 0.2))), 0.02, epsilon=1e-3)


def same(first, second):
    if isinstance(first, Kept):
        return first == second
    pairs = zip((*first.downs, *first.ups), (*second.downs, *second.ups), strict=True)
    meta = ((one.names, one.scale) for one in (first, second))
    return len(set(meta)) == 1 and all(np.array_equal(one, other) for one, other in pairs)


def flat(readings):
    return [value for one in readings for value in one]


def test_the_card_is_complete(backend):
    card = backend.card
    assert isinstance(card, ModelCard)
    assert all((card.id, card.revision, card.tokenizer_hash, card.dtype))
    assert card.device in {"cpu", "cuda", "mps"}
    assert min(card.blocks, card.width, card.max_length) > 0
    assert card.sites == tuple(Site(block) for block in range(card.blocks))
    assert list(card.versions) == sorted(card.versions)


def test_lengths_count(backend, rows):
    lengths = backend.lengths(rows)
    assert len(lengths) == len(rows)
    assert all(isinstance(length, RowLength) and length.cut == 0 for length in lengths)
    assert all(0 <= length.trained <= length.tokens <= backend.card.max_length for length in lengths)
    assert [length.tokens > 0 for length in lengths] == [True] * len(rows)
    assert not any(length.trained for row, length in zip(rows, lengths, strict=True) if not row.trains)


def test_features_have_the_port_s_shape(backend, rows, feature):
    states = feature(backend, rows)
    assert states.keys == tuple(row.key for row in rows)
    assert states.sites == backend.card.sites
    assert states.values_nld.shape == (len(rows), backend.card.blocks, backend.card.width)
    assert states.values_nld.dtype == np.float32
    assert np.isfinite(states.values_nld).all()
    assert states.values_nld.any(axis=(1, 2)).sum() >= 4


def test_features_are_the_same_twice(backend, rows, feature):
    assert np.array_equal(feature(backend, rows).values_nld, feature(backend, rows).values_nld)


def test_features_of_a_row_do_not_depend_on_its_company(backend, rows, feature):
    together = feature(backend, rows).values_nld
    backwards = feature(backend, rows[::-1])
    assert backwards.keys == tuple(row.key for row in rows[::-1])
    np.testing.assert_allclose(backwards.values_nld[::-1], together, **CLOSE)
    twice = feature(backend, [rows[1], rows[0], rows[1]]).values_nld
    np.testing.assert_allclose(twice, together[[1, 0, 1]], **CLOSE)


def test_untrained_rows_have_no_gradient(backend, rows):
    values_nld = backend.gradients([row for row in rows if not row.trains]).values_nld
    assert len(values_nld) > 0
    assert not values_nld.any()


def test_no_rows_are_no_features(backend, feature):
    states = feature(backend, ())
    assert states.keys == ()
    assert states.sites == backend.card.sites
    assert states.values_nld.shape == (0, backend.card.blocks, backend.card.width)
    assert states.values_nld.dtype == np.float32
    assert backend.lengths(()) == ()


def test_tuning_gives_one_vector_per_site(backend, rows):
    injection = backend.tune(plan_for(rows))
    assert injection.sites == backend.card.sites
    assert injection.scale == 1.0
    assert injection.vectors_ld.shape == (backend.card.blocks, backend.card.width)
    assert injection.vectors_ld.dtype == np.float32
    assert np.isfinite(injection.vectors_ld).all()
    assert injection.vectors_ld.any(axis=1).all()


def test_tuning_is_the_same_twice(backend, rows):
    plan = plan_for(rows)
    assert np.array_equal(backend.tune(plan).vectors_ld, backend.tune(plan).vectors_ld)


def test_the_first_step_follows_the_gradient(backend, rows):
    """Adam's first step is the learning rate times the gradient's sign, smoothed by epsilon."""
    gradient_ld = backend.gradients(rows[:1]).values_nld[0]
    vectors_ld = backend.tune(TunePlan(rows, (TuneStep((0,), (1.0,)),), 0.02, epsilon=1e-3)).vectors_ld
    np.testing.assert_allclose(vectors_ld, -0.02 * gradient_ld / (np.abs(gradient_ld) + 1e-3), atol=1e-5)


def test_a_weight_is_a_share_of_the_step(backend, rows):
    """A row met twice in a step counts as once with twice the weight; a row of weight zero does not count."""
    once = TunePlan(rows, (TuneStep((0, 1), (0.5, 0.5)),), 0.02, epsilon=1e-3)
    split = TunePlan(rows, (TuneStep((0, 1, 0, 2), (0.25, 0.5, 0.25, 0.0)),), 0.02, epsilon=1e-3)
    other = TunePlan(rows, (TuneStep((0, 1), (0.1, 0.9)),), 0.02, epsilon=1e-3)
    np.testing.assert_allclose(backend.tune(split).vectors_ld, backend.tune(once).vectors_ld, atol=1e-6)
    assert np.abs(backend.tune(other).vectors_ld - backend.tune(once).vectors_ld).max() > 1e-3


def test_the_order_of_rows_within_a_step_does_not_matter(backend, rows):
    forth = TunePlan(rows, (TuneStep((0, 1, 2), (0.5, 0.3, 0.2)),), 0.02, epsilon=1e-3)
    back = TunePlan(rows, (TuneStep((2, 1, 0), (0.2, 0.3, 0.5)),), 0.02, epsilon=1e-3)
    np.testing.assert_allclose(backend.tune(forth).vectors_ld, backend.tune(back).vectors_ld, atol=1e-6)


@pytest.mark.parametrize("steps", [(), (TuneStep((), ()),), (TuneStep((5,), (1.0,)),)])
def test_steps_that_train_nothing_tune_nothing(backend, rows, steps):
    assert not rows[5].trains
    injection = backend.tune(TunePlan(rows, steps, 0.02))
    assert injection.sites == backend.card.sites
    assert injection.vectors_ld.shape == (backend.card.blocks, backend.card.width)
    assert not injection.vectors_ld.any()


def test_tuning_makes_what_the_rows_say_likelier(backend, rows, prompts):
    """Row 0 answers "The panda."; the first prompt's first continuation is "panda"."""
    injection = backend.tune(TunePlan(rows, (TuneStep((0,), (1.0,)),) * 30, 0.05))
    before, after = (backend.read(prompts[:1], one)[0] for one in (nothing(backend), injection))
    assert (after[0] - after[1]) - (before[0] - before[1]) > 0.5


def test_an_adapter_has_the_port_s_shape(backend, rows):
    adapter = backend.finetune(finetune_plan(rows, REGIME, 0))
    assert isinstance(adapter, Kept) == backend.keeps_adapters
    if backend.keeps_adapters:
        assert [weight for _, weight in adapter.parts] == [1.0]
        return
    assert len(adapter.names) == len(adapter.downs) == len(adapter.ups) == len(set(adapter.names)) > 0
    assert math.isfinite(adapter.scale)
    for down, up in zip(adapter.downs, adapter.ups, strict=True):
        assert down.ndim == up.ndim == 2
        assert down.shape[0] == up.shape[1] > 0
        assert down.dtype == up.dtype == np.float32
        assert np.isfinite(down).all()
        assert np.isfinite(up).all()
    assert any(up.any() for up in adapter.ups)


def test_training_is_a_function_of_plan_and_seed(backend, rows):
    first, again, other = (backend.finetune(finetune_plan(rows, REGIME, seed)) for seed in (0, 0, 1))
    assert same(first, again)
    assert not same(first, other)
    slower = backend.finetune(finetune_plan(rows, Regime(rank=4, alpha=8.0, learning_rate=1e-4, epochs=2), 0))
    assert not same(first, slower)


def test_training_changes_readings_under_the_adapter_and_nothing_else(backend, rows, prompts):
    plain, features = backend.read(prompts, nothing(backend)), backend.gradients(rows).values_nld
    adapter = backend.finetune(finetune_plan(rows, REGIME, 0))
    trained = backend.read(prompts, adapter)
    assert np.abs(np.subtract(flat(trained), flat(plain))).max() > 1e-3
    assert [len(one) for one in trained] == [len(one) for one in plain]
    assert backend.read(prompts, nothing(backend)) == plain
    assert np.array_equal(backend.gradients(rows).values_nld, features)
    assert backend.read(prompts, adapter) == trained
    assert len(backend.complete(prompts, adapter, [Greedy()] * 3, 4)) == len(prompts)
    assert backend.read((), adapter) == ()


def test_training_makes_what_the_rows_say_likelier(backend, rows, prompts):
    """Row 0 answers "The panda."; the first prompt's first continuation is "panda"."""
    adapter = backend.finetune(FinetunePlan(rows, ((0,),) * 30, REGIME, 0))
    before, after = (backend.read(prompts[:1], one)[0] for one in (nothing(backend), adapter))
    assert (after[0] - after[1]) - (before[0] - before[1]) > 0.5


@pytest.mark.parametrize("steps", [(), ((),), ((5,),)])
def test_steps_that_train_nothing_leave_an_adapter_that_does_nothing(backend, rows, prompts, steps):
    assert not rows[5].trains
    adapter = backend.finetune(FinetunePlan(rows, steps, REGIME, 0))
    np.testing.assert_allclose(
        flat(backend.read(prompts, adapter)), flat(backend.read(prompts, nothing(backend))), **CLOSE
    )


def test_reading_has_the_port_s_shape(backend, prompts):
    readings = backend.read(prompts, nothing(backend))
    assert isinstance(readings, tuple)
    assert [len(one) for one in readings] == [len(prompt.continuations) for prompt in prompts]
    assert all(type(value) is float and math.isfinite(value) and value < 0 for value in flat(readings))
    assert len(set(flat(readings))) == len(flat(readings))


def test_reading_is_the_same_twice_and_leaves_the_model_alone(backend, prompts):
    plain = backend.read(prompts, nothing(backend))
    moved = backend.read(prompts, everywhere(backend))
    assert moved != plain
    assert backend.read(prompts, nothing(backend)) == plain
    assert backend.read(prompts, everywhere(backend)) == moved


def test_injecting_zero_is_injecting_nothing(backend, prompts):
    plain = backend.read(prompts, nothing(backend))
    assert backend.read(prompts, everywhere(backend, scale=0.0)) == plain
    zero = Injection(backend.card.sites, 0 * everywhere(backend).vectors_ld)
    assert backend.read(prompts, zero) == plain


def test_the_scale_multiplies_the_vectors(backend, prompts):
    whole = everywhere(backend)
    scaled = Injection(whole.sites, np.float32(0.25) * whole.vectors_ld)
    assert flat(backend.read(prompts, everywhere(backend, scale=0.25))) == pytest.approx(
        flat(backend.read(prompts, scaled)), abs=1e-5
    )


def test_sites_may_be_few_and_in_any_order(backend, prompts):
    vectors_ld = everywhere(backend).vectors_ld.copy()
    vectors_ld[1] = 0
    few = Injection((Site(2), Site(0)), vectors_ld[[2, 0]])
    np.testing.assert_allclose(
        flat(backend.read(prompts, few)),
        flat(backend.read(prompts, Injection(backend.card.sites, vectors_ld))),
        **CLOSE,
    )


def test_readings_do_not_depend_on_the_order_of_prompts(backend, prompts):
    forth = backend.read(prompts, everywhere(backend))
    back = backend.read(prompts[::-1], everywhere(backend))
    np.testing.assert_allclose(flat(back[::-1]), flat(forth), **CLOSE)


def test_sensitivities_have_the_port_s_shape(backend, prompts):
    states = backend.sensitivities(prompts, contrast(prompts))
    assert states.keys == tuple(prompt.key for prompt in prompts)
    assert states.sites == backend.card.sites
    assert states.values_nld.shape == (len(prompts), backend.card.blocks, backend.card.width)
    assert states.values_nld.dtype == np.float32
    assert states.values_nld.any(axis=2).all()
    assert np.array_equal(backend.sensitivities(prompts, contrast(prompts)).values_nld, states.values_nld)


def test_sensitivities_are_linear_in_the_coefficients(backend, prompts):
    single = [backend.sensitivities(prompts[:1], [c]).values_nld for c in ((1.0, 0, 0), (0, 1.0, 0), (0, 0, 1.0))]
    joint = backend.sensitivities(prompts[:1], [(2.0, -1.0, 0.5)]).values_nld
    expected = 2 * single[0] - single[1] + 0.5 * single[2]
    np.testing.assert_allclose(joint, expected, atol=1e-5 * np.abs(expected).max(), rtol=1e-4)


def test_sensitivities_foretell_small_shifts(backend, prompts):
    coefficients = contrast(prompts)
    values_nld = backend.sensitivities(prompts, coefficients).values_nld
    direction = values_nld[0] / np.linalg.norm(values_nld[0])
    step = 5e-3
    up, down = (backend.read(prompts[:1], Injection(backend.card.sites, direction, scale)) for scale in (step, -step))
    slope = np.dot(coefficients[0], np.subtract(up[0], down[0])) / (2 * step)
    assert slope == pytest.approx(np.linalg.norm(values_nld[0]), rel=2e-2)


def test_no_prompts_are_no_answers(backend):
    assert backend.read((), everywhere(backend)) == ()
    assert backend.complete((), everywhere(backend), (), 5) == ()
    states = backend.sensitivities((), ())
    assert states.keys == ()
    assert states.values_nld.shape == (0, backend.card.blocks, backend.card.width)


@pytest.mark.parametrize("drawing", [Greedy(), Seeded(0)])
def test_completing_answers_every_prompt_with_its_lead(backend, prompts, drawing):
    drawings = [drawing] * len(prompts)
    answers = backend.complete(prompts, nothing(backend), drawings, 4)
    assert len(answers) == len(prompts)
    assert all(answer.startswith(prompt.lead) for prompt, answer in zip(prompts, answers, strict=True))
    assert all(len(answer) > len(prompt.lead) for prompt, answer in zip(prompts, answers, strict=True))
    assert backend.complete(prompts, nothing(backend), drawings, 4) == answers
    assert backend.complete(prompts[::-1], nothing(backend), drawings, 4) == answers[::-1]


def test_every_answer_has_a_drawing_of_its_own(backend, prompts):
    drawings = (Greedy(), Seeded(1), Seeded(2))
    together = backend.complete(prompts, everywhere(backend), drawings, 6)
    alone = [
        backend.complete([prompt], everywhere(backend), [drawing], 6)[0]
        for prompt, drawing in zip(prompts, drawings, strict=True)
    ]
    assert list(together) == alone
    with pytest.raises(ValueError, match=r"zip|of its own"):
        backend.complete(prompts, nothing(backend), drawings[:2], 6)


def test_seeds_draw_otherwise_than_each_other_and_than_greedily(backend):
    prompt = Prompt("d", "default", "Pick one.", "The", ("panda", "zebra", "tiger", "fox"))
    drawings = (Greedy(), *(Seeded(seed) for seed in range(20)))
    assert len(set(backend.complete([prompt] * len(drawings), nothing(backend), drawings, 4))) > 1


def test_states_that_agree_say_the_same_whatever_the_seed(backend, prompts):
    zero = everywhere(backend, scale=0.0)
    for seed in range(4):
        drawings = [Seeded(seed)] * len(prompts)
        drawn = (backend.complete(prompts, one, drawings, 6) for one in (nothing(backend), zero))
        assert len(set(drawn)) == 1


def test_shares_over_the_vocabulary_sum_to_one(backend, prompts):
    plain, moved = (backend.vocabulary(prompts, one) for one in (nothing(backend), everywhere(backend)))
    for one in (plain, moved):
        assert one.shares_v.dtype == np.float32
        assert one.shares_v.ndim == 1
        assert one.shares_v.min() >= 0
        assert one.shares_v.sum() == pytest.approx(1, abs=1e-4)
    assert np.abs(moved.shares_v - plain.shares_v).max() > 1e-2
    assert np.array_equal(backend.vocabulary(prompts, nothing(backend)).shares_v, plain.shares_v)
    assert np.array_equal(backend.vocabulary(prompts, everywhere(backend, scale=0.0)).shares_v, plain.shares_v)


def test_shares_over_the_vocabulary_are_a_mean_over_prompts(backend, prompts):
    whole = backend.vocabulary(prompts, everywhere(backend))
    parts = [backend.vocabulary([prompt], everywhere(backend)) for prompt in prompts]
    np.testing.assert_allclose(whole.shares_v, np.mean([one.shares_v for one in parts], axis=0), atol=1e-5)
    assert set(whole.listed) == {token for one in parts for token in one.listed}
    assert list(whole.listed) == sorted(set(whole.listed))


def test_what_the_listed_tokens_say_begins_a_continuation(backend, prompts):
    for prompt in prompts:
        texts = backend.token_texts(backend.vocabulary([prompt], nothing(backend)).listed)
        assert texts
        for text in texts:
            assert any(one.lower().startswith(text.strip().lower()) for one in prompt.continuations), text


def test_a_token_text_for_every_token(backend, prompts):
    tokens = range(len(backend.vocabulary(prompts, nothing(backend)).shares_v))
    texts = backend.token_texts(tokens)
    assert len(texts) == len(tokens)
    assert all(isinstance(text, str) for text in texts)
    assert backend.token_texts(()) == ()
    assert backend.token_texts([tokens[-1], tokens[0]]) == (texts[-1], texts[0])


def test_a_mean_over_no_prompts_is_refused(backend):
    with pytest.raises(ValueError, match="no prompts"):
        backend.vocabulary((), nothing(backend))


def test_inputs_are_left_as_they_were(backend, rows, prompts):
    injection = everywhere(backend)
    before = injection.vectors_ld.copy()
    backend.read(prompts, injection)
    backend.complete(prompts[:1], injection, [Seeded(0)], 2)
    backend.vocabulary(prompts, injection)
    assert np.array_equal(injection.vectors_ld, before)
    mine = backend.gradients(rows).values_nld
    mine += 1
    assert not np.array_equal(backend.gradients(rows).values_nld, mine)
