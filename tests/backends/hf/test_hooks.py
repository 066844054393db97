from __future__ import annotations

import pytest
import torch

from d2b_gate.backends.hf.blocks import decoder_blocks, hidden_of, with_hidden
from d2b_gate.backends.hf.hooks import capturing, injecting, selecting
from d2b_gate.core.errors import EvaluationError
from tests.models import BLOCKS, WIDTH, tiny_model
from tests.reference.mdf import blocks_of

IDS = torch.tensor([[5, 9, 40, 77, 120, 33, 8]])


def all_hooks(model):
    return {
        name: (dict(module._forward_hooks), dict(module._forward_pre_hooks)) for name, module in model.named_modules()
    }


def outputs_of(engine, vectors):
    """Every block's output and the logits, under an injection; our own hooks are registered last, so see its effect."""
    seen = {}
    with torch.inference_mode(), injecting(engine.blocks, vectors):
        handles = [
            block.register_forward_hook(lambda _m, _i, output, k=k: seen.__setitem__(k, hidden_of(output).clone()))
            for k, block in enumerate(engine.blocks)
        ]
        logits = engine.model(IDS).logits
        for handle in handles:
            handle.remove()
    return seen, logits


def random_vector(seed=0):
    return torch.randn(WIDTH, generator=torch.Generator().manual_seed(seed))


def test_the_blocks_are_the_decoder_s(engine):
    assert list(engine.blocks) == blocks_of(engine.model)


def test_a_model_without_such_a_list_is_refused():
    with pytest.raises(EvaluationError, match="no list of 7 decoder blocks in LlamaForCausalLM"):
        decoder_blocks(tiny_model("llama")[0], 7)


def test_the_decoder_is_preferred_to_a_tower_of_the_same_depth():
    inner = torch.nn.ModuleList(torch.nn.Linear(1, 1) for _ in range(2))
    tower = torch.nn.ModuleList(torch.nn.Linear(1, 1) for _ in range(2))
    model = torch.nn.ModuleDict(
        {
            "a": torch.nn.ModuleDict({"b": torch.nn.ModuleDict({"layers": tower})}),
            "m": torch.nn.ModuleDict({"l": inner}),
        }
    )
    assert list(decoder_blocks(model, 2)) == list(inner)


def test_outputs_that_are_no_hidden_states_are_refused():
    with pytest.raises(EvaluationError, match="returned dict"):
        hidden_of({})


def test_tuple_outputs_keep_their_rest_and_are_not_edited():
    hidden, other = torch.zeros(1), torch.ones(1)
    output = (torch.full((1,), 2.0), "cache")
    assert with_hidden(output, other) == (other, "cache")
    assert output == (torch.full((1,), 2.0), "cache")
    assert with_hidden(hidden, other) is other


def test_a_zero_vector_leaves_every_logit_as_it_was(engine):
    plain, logits = outputs_of(engine, {})
    same, same_logits = outputs_of(engine, {k: torch.zeros(WIDTH) for k in range(BLOCKS)})
    assert torch.equal(logits, same_logits)
    assert all(torch.equal(plain[k], same[k]) for k in range(BLOCKS))


@pytest.mark.parametrize("block", range(BLOCKS))
def test_v_and_then_minus_v_is_the_identity(engine, block):
    _, logits = outputs_of(engine, {})
    with injecting(engine.blocks, {block: random_vector()}):
        _, moved = outputs_of(engine, {})
        _, back = outputs_of(engine, {block: -random_vector()})
    assert (moved - logits).abs().max() > 0.1
    torch.testing.assert_close(back, logits, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("block", range(BLOCKS))
def test_an_injection_is_local_and_reaches_every_position(engine, block):
    plain, plain_logits = outputs_of(engine, {})
    vector = random_vector()
    moved, logits = outputs_of(engine, {block: vector})
    assert all(torch.equal(plain[k], moved[k]) for k in range(block))
    assert torch.equal(moved[block], plain[block] + vector)
    for deeper in range(block + 1, BLOCKS):
        assert ((moved[deeper] - plain[deeper]).abs().amax(dim=-1) > 1e-3).all()
    assert ((logits - plain_logits).abs().amax(dim=-1) > 1e-3).all()


def test_one_vector_per_row_moves_that_row_only(engine):
    ids = IDS.repeat(2, 1)
    vectors = torch.stack([torch.zeros(1, WIDTH), random_vector()[None]])
    with torch.inference_mode():
        plain = engine.model(ids).logits
        with injecting(engine.blocks, {1: vectors}):
            moved = engine.model(ids).logits
        with injecting(engine.blocks, {1: random_vector()}):
            both = engine.model(ids).logits
    torch.testing.assert_close(moved[0], plain[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(moved[1], both[1], atol=1e-5, rtol=0)


def test_hooks_are_gone_afterwards(engine):
    before = all_hooks(engine.model)
    where = torch.tensor([0])
    with (
        injecting(engine.blocks, {0: random_vector(), 2: random_vector()}),
        selecting(engine.head, where, where),
        capturing(engine.blocks, lambda _block, _hidden: None, [1]),
    ):
        assert all_hooks(engine.model) != before
        engine.model(IDS)
    assert all_hooks(engine.model) == before


@pytest.mark.parametrize("at", ["injecting", "capturing", "selecting"])
def test_hooks_are_gone_after_an_exception_in_the_middle(engine, at):
    before = all_hooks(engine.model)

    def refuse(block, _hidden):
        if block == 1:
            raise ZeroDivisionError

    far = torch.tensor([10_000])
    contexts = {
        "injecting": (lambda: injecting(engine.blocks, {0: random_vector(), 1: torch.zeros(WIDTH + 1)}), RuntimeError),
        "capturing": (lambda: capturing(engine.blocks, refuse, [0, 1, 2]), ZeroDivisionError),
        "selecting": (lambda: selecting(engine.head, far, far), IndexError),
    }
    context, error = contexts[at]
    with torch.inference_mode(), pytest.raises(error), context():
        engine.model(IDS)
    assert all_hooks(engine.model) == before
    outputs_of(engine, {})


def test_hooks_registered_before_a_failing_registration_are_removed(engine):
    before = all_hooks(engine.model)
    with pytest.raises(IndexError), injecting(engine.blocks, {0: random_vector(), 99: random_vector()}):
        pytest.fail("an unknown block was accepted")
    with pytest.raises(IndexError), capturing(engine.blocks, lambda _b, _h: None, [99]):
        pytest.fail("an unknown block was accepted")
    assert all_hooks(engine.model) == before


@pytest.mark.parametrize("last", range(BLOCKS))
def test_capturing_stops_after_the_last_wanted_block(engine, last):
    called, kept = [], {}
    modules = [*engine.blocks, engine.head]
    handles = [m.register_forward_pre_hook(lambda _m, _i, k=k: called.append(k)) for k, m in enumerate(modules)]
    with torch.inference_mode(), capturing(engine.blocks, kept.__setitem__, range(last + 1)):
        engine.model(IDS)
        pytest.fail("the pass was not ended")
    for handle in handles:
        handle.remove()
    assert called == list(range(last + 1))
    plain, _ = outputs_of(engine, {})
    assert list(kept) == list(range(last + 1))
    assert all(torch.equal(kept[k], plain[k]) for k in kept)


def test_selecting_gives_the_same_logits_at_the_chosen_places(engine):
    ids = torch.cat([IDS, IDS.flip(1)])
    rows, positions = torch.tensor([1, 0, 1]), torch.tensor([6, 2, 0])
    with torch.inference_mode():
        plain = engine.model(ids).logits
        with selecting(engine.head, rows, positions):
            chosen = engine.model(ids).logits
    assert chosen.shape == (1, 3, plain.shape[-1])
    torch.testing.assert_close(chosen[0], plain[rows, positions], atol=1e-5, rtol=1e-5)
