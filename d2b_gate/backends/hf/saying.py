"""What the model says under an injection, one token after the other: greedily, or by seeded noise."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import torch
from transformers import LogitsProcessor, LogitsProcessorList

from d2b_gate.backends.hf.asking import opening
from d2b_gate.backends.hf.engine import under
from d2b_gate.core.drawing import Seeded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from d2b_gate.backends.hf.engine import Engine
    from d2b_gate.core.drawing import Drawing
    from d2b_gate.core.features import Injected
    from d2b_gate.core.reading import Prompt


def complete_prompts(
    engine: Engine, prompts: Sequence[Prompt], injection: Injected, drawing: Drawing, max_tokens: int
) -> tuple[str, ...]:
    """Answers, one prompt at a time (few are ever shown), lead included."""
    with torch.inference_mode(), under(engine, injection):
        return tuple(_complete(engine, prompt, drawing, max_tokens) for prompt in prompts)


def _complete(engine: Engine, prompt: Prompt, drawing: Drawing, max_tokens: int) -> str:
    inputs = engine.tokenizer(opening(engine.tokenizer, prompt), add_special_tokens=False, return_tensors="pt")
    ids_bt, mask_bt = inputs["input_ids"].to(engine.device), inputs["attention_mask"].to(engine.device)
    asked = ids_bt.shape[1]
    said_bt = engine.model.generate(  # type: ignore[operator]  # a mixin that PreTrainedModel does not declare
        ids_bt,
        attention_mask=mask_bt,
        max_new_tokens=max_tokens,
        do_sample=False,
        repetition_penalty=1.0,  # some models' own settings have another, and it is no part of what they predict
        logits_processor=LogitsProcessorList(_noise(drawing, prompt, asked)),
        pad_token_id=engine.pad,
    )
    return prompt.lead + str(engine.tokenizer.decode(said_bt[0, asked:], skip_special_tokens=True))


def _noise(drawing: Drawing, prompt: Prompt, asked: int) -> list[LogitsProcessor]:
    return [_Gumbel(drawing.seed, prompt.key, asked)] if isinstance(drawing, Seeded) else []


class _Gumbel(LogitsProcessor):
    """Adds noise whose largest sum with the logits is a draw from their softmax.

    It is made on the CPU from seed, prompt and step alone, so that neither the device nor the state changes it.
    Source: the Gumbel-max trick, Maddison et al., arXiv 1411.0030.
    """

    def __init__(self, seed: int, prompt: str, asked: int) -> None:
        self._name = f"{seed}:{prompt}"
        self._asked = asked

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Shapes: ``input_ids`` (1, time), ``scores`` (1, vocabulary)."""
        step = input_ids.shape[1] - self._asked
        key = int.from_bytes(hashlib.sha256(f"{self._name}:{step}".encode()).digest()[:16], "big")
        noise_v = np.random.Generator(np.random.Philox(key=key)).gumbel(size=scores.shape[1])
        return scores + torch.from_numpy(noise_v).to(scores)
