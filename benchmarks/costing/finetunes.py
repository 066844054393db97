"""The fine-tune that the gate predicts, timed twice: as people write it, and by the gate's own training.

Blocks of steps take turns, so that a busy moment of the machine hits both; a training of many hours is extrapolated
from them.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.costing.flops import Work, whole_finetune
from benchmarks.costing.models import block_parameters
from benchmarks.costing.roofline import settle
from d2b_gate.backends.hf.batches import row_batch
from d2b_gate.backends.hf.checkpoint import Checkpoint
from d2b_gate.backends.hf.encode import encode_rows
from d2b_gate.backends.hf.finetune import MOST_NORM, train_adapter
from d2b_gate.core.finetune import FinetunePlan, finetune_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from d2b_gate.backends.hf.encode import Encoded
    from d2b_gate.backends.hf.engine import Engine
    from d2b_gate.core.rows import Row
    from d2b_gate.core.rules import Regime

BLOCK = 27
"""Steps of one block of a contender, warm-up included."""
BOTH = 2
"""Blocks that both contenders run."""
WARM_UP = 2
"""Steps of a block that do not count: the first ones pay for allocation."""


def compare(engine: Engine, rows: Sequence[Row], regime: Regime, steps: int) -> dict[str, Any]:
    """Time at least ``steps`` steps of the faster training after warm-ups, and extrapolate to the regime's epochs.

    Both run `BOTH` blocks; from then on only the faster one, which is what the ratios are held against.
    """
    plan = finetune_plan(rows, regime, seed=0)
    contenders: dict[str, Callable[[Sequence[tuple[int, ...]]], list[float]]] = {
        "plain": lambda part: plain(engine, _encoded(engine, plan, part), regime),
        "gate": lambda part: own(engine, plan, part),
    }
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    tokens = 0
    running = list(contenders)
    blocks = max(BOTH, -(-steps // (BLOCK - WARM_UP)))
    for index in range(blocks):
        part = plan.steps[index * BLOCK : (index + 1) * BLOCK]
        tokens += sum(len(row.ids) for row in _encoded(engine, plan, part))
        if index == BOTH:
            running = [_faster(taken)]
        for name in running:
            taken[name] += contenders[name](part)[WARM_UP:]
        print(f"fine-tune {index + 1}/{blocks}", {name: f"{sum(one):.0f} s" for name, one in taken.items()}, flush=True)
    per_row = tokens / sum(len(step) for step in plan.steps[: blocks * BLOCK])
    whole = {
        name: whole_finetune(statistics.mean(one), len(rows), regime.epochs, regime.batch_size)
        for name, one in taken.items()
    }
    faster = running[0] if len(running) == 1 else _faster(taken)
    positions = per_row * len(rows) * regime.epochs
    return {
        "regime": f"LoRA r={regime.rank}, batch {regime.batch_size}, {regime.epochs:g} epochs",
        "timed_steps": {name: len(one) for name, one in taken.items()},
        "step_seconds": {name: statistics.mean(one) for name, one in taken.items()},
        "tokens_per_row": per_row,
        "seconds": whole,
        "faster": faster,
        "whole": whole[faster],
        "flops": Work(positions, positions).flops(block_parameters(engine)),
        "extrapolated": True,
    }


def _faster(taken: Mapping[str, Sequence[float]]) -> str:
    return min(taken, key=lambda name: statistics.mean(taken[name]))


def _encoded(engine: Engine, plan: FinetunePlan, steps: Sequence[tuple[int, ...]]) -> list[Encoded]:
    return encode_rows(engine.tokenizer, rows_of(plan, steps), engine.card.max_length)


def rows_of(plan: FinetunePlan, steps: Sequence[Sequence[int]]) -> list[Row]:
    """The rows that these steps meet, in their order."""
    return [plan.rows[index] for index in itertools.chain(*steps)]


def own(engine: Engine, plan: FinetunePlan, steps: Sequence[tuple[int, ...]]) -> list[float]:
    """Seconds of every step of the gate's own training."""
    met = rows_of(plan, steps)
    size = plan.regime.batch_size
    order = tuple(tuple(range(start, min(start + size, len(met)))) for start in range(0, len(met), size))
    ends: list[float] = []

    def done() -> None:
        settle(engine)
        ends.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Checkpoint(Path(folder) / "training.safetensors")
        train_adapter(engine, FinetunePlan(tuple(met), order, plan.regime, plan.seed), done, checkpoint)
    return [0.0, *(late - early for early, late in itertools.pairwise(ends))]


def plain(engine: Engine, encoded: Sequence[Encoded], regime: Regime) -> list[float]:
    """Seconds of every step of a loop as people write it with transformers and peft; rows are tokenised before."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=regime.rank, lora_alpha=int(regime.alpha), target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(engine.model, config)
    model.train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=regime.learning_rate)
    seconds: list[float] = []
    try:
        for start in range(0, len(encoded), regime.batch_size):
            settle(engine)
            began = time.perf_counter()
            _step(engine, model, encoded[start : start + regime.batch_size], trained, optimizer)
            settle(engine)
            seconds.append(time.perf_counter() - began)
    finally:
        model.unload()
        engine.model.eval().requires_grad_(False)
    return seconds


def _step(
    engine: Engine,
    model: Any,  # noqa: ANN401 - peft's model has no type of its own that says what it takes
    rows: Sequence[Encoded],
    trained: Sequence[torch.nn.Parameter],
    optimizer: torch.optim.Optimizer,
) -> None:
    batch = row_batch(rows, engine.pad, engine.device)
    labels_bt = torch.full_like(batch.ids_bt, -100)
    for b, row in enumerate(rows):
        labels_bt[b, list(row.targets)] = batch.ids_bt[b, list(row.targets)]
    loss = model(input_ids=batch.ids_bt, attention_mask=batch.mask, labels=labels_bt, use_cache=False).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, MOST_NORM)
    optimizer.step()
    optimizer.zero_grad()
