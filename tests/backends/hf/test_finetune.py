"""Really training an adapter: it learns, it is a function of its seed, it leaves the model alone, and it resumes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from d2b_gate.backends.hf import checkpoint as checkpoints
from d2b_gate.backends.hf.checkpoint import Checkpoint
from d2b_gate.backends.hf.finetune import train_adapter
from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.features import Injection
from d2b_gate.core.finetune import FinetunePlan, finetune_plan
from d2b_gate.core.rules import Regime
from tests.models import WIDTH, sample_prompts, sample_rows, tiny_backend, tiny_engine

REGIME = Regime(rank=4, alpha=8.0, learning_rate=5e-3, epochs=2, batch_size=2)


def nothing():
    return Injection((), np.zeros((0, WIDTH), dtype=np.float32))


def plan(seed=0, **changes):
    return finetune_plan(sample_rows(), replace(REGIME, **changes), seed)


def same(first, second):
    pairs = zip((*first.downs, *first.ups), (*second.downs, *second.ups), strict=True)
    return first.names == second.names and all(np.array_equal(one, other) for one, other in pairs)


@pytest.mark.parametrize("arch", ["llama", "qwen2", "gpt2", "gemma3-vision"])
def test_an_adapter_changes_readings_and_leaves_the_model_alone(arch):
    backend, prompts = tiny_backend(arch), sample_prompts()
    before = backend.read(prompts, nothing())
    weights = {name: value.clone() for name, value in backend.engine().model.state_dict().items()}
    adapter = backend.finetune(plan())
    after = backend.read(prompts, adapter)
    assert max(abs(a - b) for x, y in zip(before, after, strict=True) for a, b in zip(x, y, strict=True)) > 1e-3
    assert backend.read(prompts, nothing()) == before
    left = backend.engine().model.state_dict()
    assert left.keys() == weights.keys()
    assert all(torch.equal(left[name], weights[name]) for name in weights)
    assert not any(parameter.requires_grad for parameter in backend.engine().model.parameters())


def test_an_adapter_reads_as_peft_reads_it():
    from peft import LoraConfig, get_peft_model

    backend, prompts = tiny_backend("llama"), sample_prompts()
    adapter = backend.finetune(plan())
    mine = backend.read(prompts, adapter)
    model = backend.engine().model
    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM")
    wrapped = get_peft_model(model, config)
    try:
        for name, down, up in zip(adapter.names, adapter.downs, adapter.ups, strict=True):
            module = model.get_submodule(name)
            module.lora_A["default"].weight.data = torch.tensor(down)
            module.lora_B["default"].weight.data = torch.tensor(up)
        theirs = backend.read(prompts, nothing())
    finally:
        wrapped.unload()
    flat = [(a, b) for x, y in zip(mine, theirs, strict=True) for a, b in zip(x, y, strict=True)]
    assert [a for a, _ in flat] == pytest.approx([b for _, b in flat], abs=1e-4)


def test_the_seed_decides_and_training_lowers_the_loss():
    backend = tiny_backend("llama")
    first, again, other = (backend.finetune(plan(seed)) for seed in (0, 0, 1))
    assert same(first, again)
    assert not same(first, other)
    longer = backend.finetune(plan(epochs=20))
    rows = [row for row in sample_rows() if row.trains][:1]
    assert _loss(backend, rows, longer) < _loss(backend, rows, first) < _loss(backend, rows, nothing())


def _loss(backend, rows, injected):
    from d2b_gate.backends.hf.batches import row_batch
    from d2b_gate.backends.hf.encode import encode_rows
    from d2b_gate.backends.hf.engine import token_log_probs, under

    engine = backend.engine()
    batch = row_batch(encode_rows(engine.tokenizer, rows, 64), engine.pad, engine.device)
    with torch.inference_mode(), under(engine, injected):
        return -float(token_log_probs(engine, batch, {}).mean())


class InterruptedError(Exception):
    pass


def test_an_interrupted_training_goes_on_to_the_same_adapter(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "EVERY", 0.0)
    engine, path = tiny_engine("llama"), tmp_path / "work" / "one.safetensors"
    whole = train_adapter(engine, plan(), lambda: None, Checkpoint(tmp_path / "never"))
    done = []

    def interrupt():
        done.append(1)
        if len(done) == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train_adapter(engine, plan(), interrupt, Checkpoint(path))
    assert path.is_file()
    steps = []
    monkeypatch.setattr(
        "d2b_gate.backends.hf.finetune._accumulate", _counted(steps, __import__("d2b_gate.backends.hf.finetune"))
    )
    resumed = train_adapter(engine, plan(), lambda: None, Checkpoint(path))
    assert same(whole, resumed)
    assert len(steps) == len(plan().steps) - 2
    assert not path.exists()


def _counted(steps, package):
    real = package.backends.hf.finetune._accumulate

    def counted(*arguments):
        steps.append(1)
        return real(*arguments)

    return counted


def test_a_place_that_is_no_directory_costs_the_resumption_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "EVERY", 0.0)
    whole = train_adapter(tiny_engine("llama"), plan(), lambda: None, Checkpoint(tmp_path / "never"))
    (tmp_path / "file").write_text("no directory")
    assert same(
        whole, train_adapter(tiny_engine("llama"), plan(), lambda: None, Checkpoint(tmp_path / "file" / "work" / "one"))
    )


def test_a_damaged_checkpoint_begins_anew(tmp_path):
    path = tmp_path / "one.safetensors"
    path.write_bytes(b"nonsense")
    whole = train_adapter(tiny_engine("llama"), plan(), lambda: None, Checkpoint(tmp_path / "never"))
    assert same(whole, train_adapter(tiny_engine("llama"), plan(), lambda: None, Checkpoint(path)))


def test_divergence_is_said_and_leaves_the_model_alone():
    backend, prompts = tiny_backend("llama"), sample_prompts()
    before = backend.read(prompts, nothing())
    with pytest.raises(EvaluationError, match="diverged at step") as caught:
        backend.finetune(plan(learning_rate=1e4, epochs=40))
    assert "learning_rate" in str(caught.value)
    assert backend.read(prompts, nothing()) == before


@pytest.mark.parametrize("changes", [{"kind": "full"}, {"optimizer": "sgd"}])
def test_a_regime_that_cannot_be_trained_is_refused(changes):
    with pytest.raises(EvaluationError, match="cannot train by the regime"):
        tiny_backend("llama").finetune(plan(**changes))


def test_a_step_without_trained_tokens_changes_nothing():
    untrained = tuple(row for row in sample_rows() if not row.trains)
    adapter = tiny_backend("llama").finetune(FinetunePlan(untrained, ((0,),), REGIME, 0))
    assert not any(up.any() for up in adapter.ups)


def test_an_adapter_of_another_architecture_is_refused():
    adapter = tiny_backend("gpt2").finetune(plan())
    with pytest.raises(EvaluationError, match="this model lacks"):
        tiny_backend("llama").read(sample_prompts(), adapter)


def test_a_plan_meets_every_row_once_an_epoch():
    rows = sample_rows()
    steps = finetune_plan(rows, replace(REGIME, epochs=2.5), 3).steps
    visits = [index for step in steps for index in step]
    assert len(visits) == math.ceil(2.5 * len(rows))
    for epoch in range(2):
        assert sorted(visits[epoch * len(rows) : (epoch + 1) * len(rows)]) == list(range(len(rows)))
    assert visits[: len(rows)] != visits[len(rows) : 2 * len(rows)]
    assert all(len(step) == REGIME.batch_size for step in steps[:-1])
    assert finetune_plan(rows, REGIME, 3) == finetune_plan(rows, REGIME, 3)
