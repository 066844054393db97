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
    engine: Engine, prompts: Sequence[Prompt], injection: Injected, drawings: Sequence[Drawing], max_tokens: int
) -> tuple[str, ...]:
    """Answers, lead included; ``drawings[i]`` draws the answer to prompt i.

    They are said side by side, since a step costs about as much for ten answers as for one. Prompts are padded on the
    left, where the answer does not begin.
    """
    names = [_name(prompt, drawing) for prompt, drawing in zip(prompts, drawings, strict=True)]
    asked = [_ids(engine, prompt) for prompt in prompts]
    said: dict[int, str] = {}

    def step(group: list[int]) -> None:
        texts = _complete(engine, [asked[i] for i in group], injection, [names[i] for i in group], max_tokens)
        said.update(zip(group, texts, strict=True))

    engine.runner.run(asked, lambda ids: len(ids) + max_tokens, step)
    return tuple(prompt.lead + said[i] for i, prompt in enumerate(prompts))


def _name(prompt: Prompt, drawing: Drawing) -> str:
    """What the random numbers of an answer are made from; empty where none are drawn."""
    return f"{drawing.seed}:{prompt.key}" if isinstance(drawing, Seeded) else ""


def _ids(engine: Engine, prompt: Prompt) -> list[int]:
    return list(engine.tokenizer(opening(engine.tokenizer, prompt), add_special_tokens=False)["input_ids"])


def _complete(
    engine: Engine, asked: Sequence[Sequence[int]], injection: Injected, names: Sequence[str], max_tokens: int
) -> list[str]:
    width = max(len(ids) for ids in asked)
    ids_bt = torch.tensor([[engine.pad] * (width - len(ids)) + list(ids) for ids in asked])
    mask_bt = torch.tensor([[0] * (width - len(ids)) + [1] * len(ids) for ids in asked])
    with torch.inference_mode(), under(engine, injection):
        said_bt = engine.model.generate(  # type: ignore[operator]  # a mixin that PreTrainedModel does not declare
            ids_bt.to(engine.device),
            attention_mask=mask_bt.to(engine.device),
            max_new_tokens=max_tokens,
            do_sample=False,
            max_length=None,  # of a model's own settings, as the next: one would warn, the other change what it says
            repetition_penalty=1.0,
            logits_processor=LogitsProcessorList([_Gumbel(names, width)]),
            pad_token_id=engine.pad,
        )
    ends = _ends(engine)
    return [_text(engine, ids, ends) for ids in said_bt[:, width:].tolist()]


def _ends(engine: Engine) -> frozenset[int]:
    """Tokens that end an answer: as the model's settings say, or the tokenizer's."""
    ends = engine.model.generation_config.eos_token_id
    if ends is None:
        ends = engine.tokenizer.eos_token_id
    return frozenset(ends if isinstance(ends, list) else [ends])


def _text(engine: Engine, ids: list[int], ends: frozenset[int]) -> str:
    """Up to the end of the answer; what stands behind it is padding, which may be any token."""
    length = next((place for place, token in enumerate(ids) if token in ends), len(ids))
    return str(engine.tokenizer.decode(ids[:length], skip_special_tokens=True))


class _Gumbel(LogitsProcessor):
    """Adds noise whose largest sum with the logits is a draw from their softmax; none to answers without a name.

    It is made on the CPU from name and step alone, so that neither the device nor the batch nor the state changes it.
    Source: the Gumbel-max trick, Maddison et al., arXiv 1411.0030.
    """

    def __init__(self, names: Sequence[str], asked: int) -> None:
        self._names = names
        self._asked = asked

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Shapes: ``input_ids`` (batch, time), ``scores`` (batch, vocabulary)."""
        step, count = input_ids.shape[1] - self._asked, scores.shape[1]
        noise_bv = np.stack([_noise(name, step, count) for name in self._names])
        return scores + torch.from_numpy(noise_bv).to(scores)


def _noise(name: str, step: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    if not name:
        return np.zeros(count, dtype=np.float32)
    key = int.from_bytes(hashlib.sha256(f"{name}:{step}".encode()).digest()[:16], "big")
    return np.random.Generator(np.random.Philox(key=key)).gumbel(size=count).astype(np.float32)
