from __future__ import annotations

import numpy as np
import pytest
import torch

from d2b_gate.backends.hf.encode import encode_rows
from d2b_gate.backends.hf.extract import SINK_POSITIONS, row_gradients, row_states
from d2b_gate.core.rows import Turn, make_row
from tests.models import BLOCKS, MAX_LENGTH, WIDTH, fresh_model, make_engine, tiny_engine
from tests.reference import mdf

EMPTY = make_row([Turn("text", "", trained=True)])


def features(name):
    return {
        "last": lambda engine, rows: row_states(engine, rows, "last"),
        "response": lambda engine, rows: row_states(engine, rows, "response"),
        "gradients": row_gradients,
    }[name]


@pytest.fixture(params=["last", "response", "gradients"])
def feature(request):
    return features(request.param)


def test_features_are_per_row_and_in_order(engine, rows, feature):
    states = feature(engine, rows)
    assert states.keys == tuple(row.key for row in rows)
    assert [site.block for site in states.sites] == list(range(BLOCKS))
    assert states.values_nld.shape == (len(rows), BLOCKS, WIDTH)
    assert states.values_nld.dtype == np.float32


def test_a_row_alone_equals_the_row_in_a_padded_batch(engine, rows, feature):
    together = feature(engine, rows).values_nld
    lengths = [len(row.ids) for row in encode_rows(engine.tokenizer, rows, MAX_LENGTH)]
    assert max(lengths) > 3 * min(lengths)
    for i, row in enumerate(rows):
        np.testing.assert_allclose(feature(engine, [row]).values_nld[0], together[i], atol=2e-5, rtol=1e-5)


def test_small_batches_equal_one_big_one(engine, rows, feature):
    together = feature(engine, rows).values_nld
    engine.runner.tokens = 1
    np.testing.assert_allclose(feature(engine, rows).values_nld, together, atol=2e-5, rtol=1e-5)


def test_what_padding_holds_does_not_matter(engine, rows, feature):
    plain = feature(engine, rows).values_nld
    engine.tokenizer.pad_token_id, before = 77, engine.tokenizer.pad_token_id
    try:
        assert engine.pad == 77
        other = feature(engine, rows).values_nld
    finally:
        engine.tokenizer.pad_token_id = before
    np.testing.assert_allclose(other, plain, atol=2e-5, rtol=1e-5)


def test_states_equal_the_naive_ones(engine, rows, examples):
    last = row_states(engine, rows, "last").values_nld
    np.testing.assert_allclose(last, mdf.last_token_states(engine.model, examples), atol=2e-5, rtol=1e-5)
    response = row_states(engine, rows, "response").values_nld
    np.testing.assert_allclose(response, mdf.response_token_states(engine.model, examples), atol=2e-5, rtol=1e-5)
    assert np.abs(last - response).max() > 0.1


def test_the_last_block_is_read_before_the_final_norm(engine, rows, examples):
    ids = torch.tensor([examples[0][0]])
    with torch.inference_mode():
        normed = engine.model(ids, output_hidden_states=True).hidden_states[-1][0, -1].numpy()
    assert np.abs(row_states(engine, rows[:1], "last").values_nld[0, -1] - normed).max() > 0.1


def test_the_response_mean_leaves_the_sink_out(engine):
    text = make_row([Turn("text", "The panda eats bamboo in the morning.", trained=True)])
    (encoded,) = encode_rows(engine.tokenizer, [text], MAX_LENGTH)
    kept = mdf.hidden_states(engine.model, encoded.ids)[:, SINK_POSITIONS:].mean(axis=1)
    np.testing.assert_allclose(row_states(engine, [text], "response").values_nld[0], kept, atol=2e-5, rtol=1e-5)


def test_states_do_not_run_the_head(engine, rows):
    called = []
    handle = engine.head.register_forward_hook(lambda *_: called.append(1))
    row_states(engine, rows, "last")
    handle.remove()
    assert called == []


def test_gradients_equal_one_row_at_a_time(engine, rows, examples):
    trained = [i for i, (_, targets) in enumerate(examples) if targets]
    gradients = row_gradients(engine, rows).values_nld
    naive = mdf.row_gradients(engine.model, [examples[i] for i in trained])
    assert np.abs(naive).max(axis=(1, 2)).min() > 0.01
    np.testing.assert_allclose(gradients[trained], naive, atol=1e-5, rtol=1e-4)


def test_a_row_that_trains_nothing_has_no_gradient(engine, rows):
    untrained = [i for i, row in enumerate(rows) if not row.trains]
    assert untrained
    assert not row_gradients(engine, rows).values_nld[untrained].any()


def test_a_row_without_tokens_has_zero_features(engine, rows, feature):
    assert not feature(engine, [EMPTY]).values_nld.any()
    mixed = feature(engine, [rows[0], EMPTY, rows[1]]).values_nld
    assert not mixed[1].any()
    np.testing.assert_allclose(mixed[[0, 2]], feature(engine, rows[:2]).values_nld, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("block", range(BLOCKS))
def test_gradients_equal_finite_differences(engine, rows, examples, block):
    ids, targets = examples[0]
    gradient = row_gradients(engine, rows[:1]).values_nld[0, block]
    for coordinate in np.argsort(-np.abs(gradient))[:3]:

        def loss(step, coordinate=coordinate):
            vectors = [torch.zeros(WIDTH) for _ in range(BLOCKS)]
            vectors[block][coordinate] = step
            with torch.no_grad():
                return float(-mdf.token_log_probs(engine.model, ids, targets, vectors).double().mean())

        assert (loss(1e-2) - loss(-1e-2)) / 2e-2 == pytest.approx(gradient[coordinate], rel=1e-2)


def test_bfloat16_states_agree_with_float32(arch, rows):
    model, tokenizer, card = fresh_model(arch)
    engine = make_engine(model.bfloat16(), tokenizer, card)
    assert engine.dtype == torch.bfloat16
    for pooling in ("last", "response"):
        low = row_states(engine, rows, pooling).values_nld
        high = row_states(tiny_engine(arch), rows, pooling).values_nld
        cosine = (low * high).sum(-1) / np.linalg.norm(low, axis=-1) / np.linalg.norm(high, axis=-1)
        assert low.dtype == np.float32
        assert cosine.min() > 0.99
        assert not np.array_equal(low, high)


def test_nothing_is_left_on_the_model(engine, rows, feature):
    feature(engine, rows)
    assert all(parameter.grad is None for parameter in engine.model.parameters())
