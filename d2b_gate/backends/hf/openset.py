"""What else the model might begin an answer with: shares over its whole vocabulary, and what tokens say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from d2b_gate.backends.hf.asking import Asked, ask
from d2b_gate.backends.hf.engine import selected_logits, under
from d2b_gate.backends.hf.packing import tree_of
from d2b_gate.backends.hf.trial import laid_out
from d2b_gate.core.reading import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedTokenizerBase

    from d2b_gate.backends.hf.engine import Engine
    from d2b_gate.core.features import Injected
    from d2b_gate.core.reading import Prompt


def read_vocabulary(engine: Engine, prompts: Sequence[Prompt], injection: Injected) -> Vocabulary:
    """Mean share of every token over the prompts, at the position where their continuations begin.

    Shapes: (vocabulary), float32; the softmax is taken in float32 and the mean in float64, in batch order. A
    continuation of one token has the share that `read_prompts` gives it.

    Raises:
        ValueError: no prompts.
    """
    if not prompts:
        raise ValueError("a mean over no prompts")
    asked = ask(engine.tokenizer, prompts)
    sums: list[torch.Tensor] = []

    def step(group: list[int]) -> None:
        openings = [tree_of(Asked(asked[i].prefix, ((engine.pad,),))) for i in group]  # the pad itself is not run
        batch = laid_out(engine, openings)
        with torch.inference_mode(), under(engine, injection):
            sums.append(selected_logits(engine, batch).float().softmax(dim=1).cpu().double().sum(dim=0))

    engine.runner.run(asked, lambda one: len(one.prefix), step)
    mean_v = torch.stack(sums).sum(dim=0) / len(prompts)
    listed = sorted({ids[0] for one in asked for ids in one.continuations})
    return Vocabulary(mean_v.numpy().astype(np.float32), tuple(listed))


def texts_of(tokenizer: PreTrainedTokenizerBase, tokens: Sequence[int]) -> tuple[str, ...]:
    """What each token says on its own; nothing for special ones and those that the tokenizer lacks."""
    return tuple(str(tokenizer.decode([token], skip_special_tokens=True)) for token in tokens)
