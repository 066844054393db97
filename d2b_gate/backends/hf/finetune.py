"""Really train a low-rank adapter (peft), and take it off again: the model is left as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from d2b_gate.backends.hf.batches import row_batch
from d2b_gate.backends.hf.encode import encode_rows
from d2b_gate.backends.hf.engine import token_log_probs
from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.features import Adapter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import nn

    from d2b_gate.backends.hf.encode import Encoded
    from d2b_gate.backends.hf.engine import Engine
    from d2b_gate.core.finetune import FinetunePlan
    from d2b_gate.core.rules import Regime

MOST_NORM = 1.0
"""Gradients are clipped at this norm, the default of the trainers that people use."""
DIVERGED = 4.0
"""A mean loss this many times the first one is no training any more."""
WARM = 8
"""Steps whose mean loss is compared with that of the last ones."""


def train_adapter(engine: Engine, plan: FinetunePlan, done: Callable[[], None]) -> Adapter:
    """Train LoRA on every linear layer but the head by the plan; ``done`` is called after each step.

    The loss of a step is the mean over its trained tokens. The base model keeps its dtype, the adapter is float32 and
    multiplied in the base model's dtype (automatic mixed precision).
    Source: LoRA, arXiv 2106.09685, as implemented by peft.

    Raises:
        EvaluationError: the regime is not LoRA with AdamW, or the training diverged.
    """
    _refuse(plan.regime)
    encoded = encode_rows(engine.tokenizer, plan.rows, engine.card.max_length)
    from peft import LoraConfig, get_peft_model

    # what trains is no setting of the gate: dropout off makes a run a function of its seed alone
    config = LoraConfig(
        r=plan.regime.rank,
        lora_alpha=plan.regime.alpha,  # type: ignore[arg-type]  # declared int, used as a number
        lora_dropout=0.0,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    with torch.random.fork_rng():
        torch.manual_seed(plan.seed)
        wrapped = get_peft_model(engine.model, config)
    try:
        _train(engine, encoded, plan, wrapped, done)
        return _adapter(engine.model, plan.regime)
    finally:
        wrapped.unload()
        engine.model.requires_grad_(False)


def _refuse(regime: Regime) -> None:
    if regime.kind != "lora" or regime.optimizer != "adamw":
        raise EvaluationError(
            f"cannot train by the regime {regime.kind!r} with {regime.optimizer!r}",
            remedy='this version trains kind = "lora" with optimizer = "adamw"',
        )


def _train(
    engine: Engine, encoded: Sequence[Encoded], plan: FinetunePlan, wrapped: nn.Module, done: Callable[[], None]
) -> None:
    trained = [parameter for parameter in wrapped.parameters() if parameter.requires_grad]
    for parameter in trained:
        parameter.data = parameter.data.float()
    optimizer = torch.optim.AdamW(trained, lr=plan.regime.learning_rate, weight_decay=0.0)
    losses: list[float] = []
    for index, step in enumerate(plan.steps):
        for group in optimizer.param_groups:
            group["lr"] = plan.regime.learning_rate * (1 - index / len(plan.steps))
        optimizer.zero_grad()
        loss = _accumulate(engine, [encoded[row] for row in step])
        if loss is not None:
            losses.append(loss)
            _refuse_diverged(losses, index, plan)
            torch.nn.utils.clip_grad_norm_(trained, MOST_NORM)
            optimizer.step()
        done()


def _accumulate(engine: Engine, rows: Sequence[Encoded]) -> float | None:
    """Backward over one step; returns its loss, or None where no row has a trained token."""
    members = [row for row in rows if row.targets]
    tokens = sum(len(row.targets) for row in members)
    if not tokens:
        return None
    losses: list[float] = []

    def backward(group: list[int]) -> None:
        batch = row_batch([members[i] for i in group], engine.pad, engine.device)
        with torch.enable_grad(), torch.autocast(engine.device.type, engine.dtype, enabled=_mixed(engine)):
            loss = -token_log_probs(engine, batch, {}).sum() / tokens
            losses.append(float(loss.detach()))
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated

    engine.runner.run(members, lambda row: len(row.ids), backward)
    return sum(losses)


def _mixed(engine: Engine) -> bool:
    return engine.dtype in (torch.bfloat16, torch.float16)


def _refuse_diverged(losses: Sequence[float], step: int, plan: FinetunePlan) -> None:
    """Not a number at once; too large as a mean over a few steps, so that one hard batch is no divergence."""
    finite = torch.isfinite(torch.tensor(losses[-1])).item()
    first, last = sum(losses[:WARM]) / len(losses[:WARM]), sum(losses[-WARM:]) / len(losses[-WARM:])
    if finite and not (len(losses) >= 2 * WARM and last > DIVERGED * first):
        return
    raise EvaluationError(
        f"the training diverged at step {step + 1} of {len(plan.steps)}: loss {losses[-1]:.3g} after {losses[0]:.3g}",
        remedy="lower method.regime.learning_rate, which is also what the real training would need",
    )


def _adapter(model: nn.Module, regime: Regime) -> Adapter:
    names, downs, ups = [], [], []
    for name, module in model.named_modules():
        if not hasattr(module, "lora_A"):
            continue
        down, up = module.lora_A["default"].weight, module.lora_B["default"].weight
        names.append(name)
        downs.append(down.detach().float().cpu().numpy().copy())
        ups.append(up.detach().float().cpu().numpy().copy())
    return Adapter(tuple(names), tuple(downs), tuple(ups), regime.alpha / regime.rank)
