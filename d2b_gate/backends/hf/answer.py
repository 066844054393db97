"""What the model answers under an injection: log-probabilities of closed continuations, and their gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from d2b_gate.backends.hf.asking import ask
from d2b_gate.backends.hf.batches import owners
from d2b_gate.backends.hf.engine import token_log_probs, under
from d2b_gate.backends.hf.extract import batch_gradients
from d2b_gate.backends.hf.packing import CPU_ROW, GPU_ROW, branched, tree_of, trees
from d2b_gate.backends.hf.trial import laid_out, most_in_tree
from d2b_gate.core.features import States

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from d2b_gate.backends.hf.engine import Engine
    from d2b_gate.backends.hf.packing import Tree
    from d2b_gate.core.features import Injected
    from d2b_gate.core.reading import LogProbs, Prompt


def read_prompts(engine: Engine, prompts: Sequence[Prompt], injection: Injected) -> tuple[LogProbs, ...]:
    """Log-probability of every continuation of every prompt, summed over its tokens (nats, float64 sums)."""
    asked = ask(engine.tokenizer, prompts)
    most = most_in_tree(engine)
    grown = trees(asked, min(most, CPU_ROW if engine.device.type == "cpu" else GPU_ROW))
    out: list[list[float]] = [[0.0] * len(prompt.continuations) for prompt in prompts]

    def read(members: list[Tree]) -> None:
        batch = laid_out(engine, members)
        with torch.inference_mode(), under(engine, injection):
            log_probs_c = token_log_probs(engine, batch, {}).cpu().double()
        owned = owners(members)
        sums = torch.zeros(len(owned), dtype=torch.float64).index_add(0, batch.owner_c.cpu(), log_probs_c).tolist()
        for (_, prompt, continuation), value in zip(owned, sums, strict=True):
            out[prompt][continuation] = value

    packed, alone = branched(grown, asked, most)
    engine.runner.run(packed, lambda tree: len(tree.ids), lambda group: read([packed[i] for i in group]))
    engine.runner.run(alone, lambda tree: len(tree.ids), lambda group: read([alone[i] for i in group]))
    return tuple(tuple(values) for values in out)


def prompt_gradients(engine: Engine, prompts: Sequence[Prompt], coefficients: Sequence[tuple[float, ...]]) -> States:
    """Per prompt, the gradient of sum_j c_j log p(continuation j) with respect to vectors after each block, at zero.

    Shapes: (prompts, blocks, width), float32.

    Raises:
        ValueError: coefficients and continuations differ in number.
    """
    for prompt, weights in zip(prompts, coefficients, strict=True):
        if len(weights) != len(prompt.continuations):
            raise ValueError(
                f"{len(weights)} coefficients for {len(prompt.continuations)} continuations of {prompt.key}"
            )
    asked = ask(engine.tokenizer, prompts)
    packed, alone = branched([tree_of(one, i) for i, one in enumerate(asked)], asked, most_in_tree(engine))
    out_nld = np.zeros((len(prompts), engine.card.blocks, engine.card.width), dtype=np.float32)

    def add(members: list[Tree]) -> None:
        batch = laid_out(engine, members)
        each = [coefficients[prompt][continuation] for _, prompt, continuation in owners(members)]
        weights = torch.tensor(each, device=engine.device)

        def objective(log_probs_s: Tensor) -> Tensor:
            return (log_probs_s * weights[batch.owner_c]).sum()

        grads_bld = batch_gradients(engine, batch, len(members), objective)
        np.add.at(out_nld, [tree.prompt for tree in members], grads_bld)

    engine.runner.run(packed, lambda tree: asked[tree.prompt].length, lambda group: add([packed[i] for i in group]))
    engine.runner.run(alone, lambda tree: len(tree.ids), lambda group: add([alone[i] for i in group]))
    return States(tuple(prompt.key for prompt in prompts), engine.card.sites, out_nld)
