"""Which trees of prompts a model reads right: tried on a small one, and limited by the windows of its configuration.

A tree needs a model that looks at nothing but its mask and its positions. Convolutions and recurrent layers take what
stands before a token in the layout for what leads to it, some biases take distances from there, and a layer that sees
a window gets the tree's mask instead of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from d2b_gate.backends.hf.asking import Asked
from d2b_gate.backends.hf.batches import path_batch, tree_batch
from d2b_gate.backends.hf.engine import token_log_probs
from d2b_gate.backends.hf.packing import Tree, paths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from d2b_gate.backends.hf.batches import Batch
    from d2b_gate.backends.hf.engine import Engine

UNLIMITED = 1 << 62
WINDOWS = (
    "sliding_window",
    "attention_window",
    "attention_window_size",
    "attention_chunk_size",
    "local_attention",
    "window_size",
)
"""Where configurations keep how far their layers see; a number, or one for each layer."""
KINDS = ("layer_types", "attention_layers")
"""Where they keep what each layer is, if not all are alike."""
WHOLE = frozenset({"full_attention", "global"})

TOKENS = 36
"""Of the trial: 12 of its prompts, 24 of their continuations."""
LEAST = 0.01
"""Mean distance from the sequences in nats a token up to which a tree is right in any type: float32 is at 1e-6."""
ROUNDINGS = 8
"""The same in units of the type's rounding: 0.06 nats in bfloat16, where SmolLM2-135M is at 0.05 and tiny models at
0.02. Tiny models that read trees wrong are at 0.18 to 1.1."""
USUAL = 6
"""How many times farther than the same sequences in another batch a tree may be, in models that round more."""
WORST = 0.5
"""Mean distance from which on it is not rounding."""


def most_in_tree(engine: Engine) -> int:
    """How many tokens a tree may have for this model to read it right; none where it reads no tree right."""
    if engine.known.most is None:
        engine.known.most = window_of(engine.model.config.get_text_config()) if _agrees(engine) else 0
    return engine.known.most


def laid_out(engine: Engine, members: Sequence[Tree]) -> Batch:
    """Batch trees as trees where the model reads all of them right; otherwise they must be without branches."""
    if max(len(tree.ids) for tree in members) <= most_in_tree(engine):
        return tree_batch(members, engine.pad, engine.device, engine.dtype)
    return path_batch(members, engine.pad, engine.device)


def window_of(config: object) -> int:
    """The narrowest window of a configuration's layers, in tokens; `UNLIMITED` where all of them see everything."""
    kinds = [kind for name in KINDS for kind in (getattr(config, name, None) or ())]
    if kinds and WHOLE.issuperset(kinds):
        return UNLIMITED
    found: list[int] = []
    for name in WINDOWS:
        if name == "sliding_window" and getattr(config, "use_sliding_window", True) is False:
            continue
        value = getattr(config, name, None)
        found += [one for one in (value if isinstance(value, list | tuple) else (value,)) if isinstance(one, int)]
    return min((one for one in found if one > 0), default=UNLIMITED)


def _agrees(engine: Engine) -> bool:
    """Whether a small tree reads as its paths do, each in a row of its own; a model that refuses it reads it wrong."""
    asked = _asked(engine)
    tree, alone = Tree(), [path for prompt, one in enumerate(asked) for path in paths(one, prompt)]
    for prompt, one in enumerate(asked):
        tree.add(prompt, one)
    try:
        with torch.inference_mode():
            right_c = _by_owner(engine, path_batch(alone, engine.pad, engine.device))
            tree_c = _by_owner(engine, tree_batch([tree], engine.pad, engine.device, engine.dtype))
            distance = _distance(tree_c, right_c)
            if distance <= max(LEAST, ROUNDINGS * torch.finfo(engine.dtype).eps):
                return True
            singly_c = torch.cat([_by_owner(engine, path_batch([one], engine.pad, engine.device)) for one in alone])
            return distance <= min(WORST, USUAL * _distance(singly_c, right_c))
    except Exception:  # whatever a model raises here, it does not take trees; other troubles show in the reading
        return False


def _distance(read_c: Tensor, right_c: Tensor) -> float:
    return float((read_c - right_c).abs().mean())


def _by_owner(engine: Engine, batch: Batch) -> Tensor:
    """Log p of every chosen token, continuation by continuation. Shapes: (chosen), float64."""
    order = batch.owner_c.argsort(stable=True).cpu()
    return token_log_probs(engine, batch, {}).cpu().double()[order]


def _asked(engine: Engine) -> list[Asked]:
    """Two prompts that begin alike, of three continuations of four tokens each, spread over the ordinary vocabulary."""
    marks = {*engine.tokenizer.all_special_ids, *engine.tokenizer.added_tokens_decoder}
    usual = [token for token in range(min(len(engine.tokenizer), engine.vocabulary)) if token not in marks]
    drawn = [usual[place * len(usual) // TOKENS] for place in range(TOKENS)]
    first, second, said = drawn[:8], drawn[:5] + drawn[8:12], drawn[12:]
    continuations = [tuple(said[start::6]) for start in range(6)]
    return [Asked(tuple(first), tuple(continuations[:3])), Asked(tuple(second), tuple(continuations[3:]))]
