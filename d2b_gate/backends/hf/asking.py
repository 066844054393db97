"""Probe prompts to packed sequences: one prefix, and every continuation behind it in the same pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.backends.hf.encode import common_length
from d2b_gate.backends.hf.template import TemplateRefusedError, lay_out
from d2b_gate.core.errors import EvaluationError, ProbeUnreadableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedTokenizerBase

    from d2b_gate.core.reading import Prompt


@dataclass(frozen=True, slots=True)
class Asked:
    """A prompt as token ids: the shared prefix, then each continuation's own ids."""

    prefix: tuple[int, ...]
    continuations: tuple[tuple[int, ...], ...]

    @property
    def length(self) -> int:
        """Tokens of the packed sequence."""
        return len(self.prefix) + sum(len(ids) for ids in self.continuations)


def ask(tokenizer: PreTrainedTokenizerBase, prompts: Sequence[Prompt]) -> list[Asked]:
    """Tokenise prompts in order."""
    return [_ask(tokenizer, prompt) for prompt in prompts]


def opening(tokenizer: PreTrainedTokenizerBase, prompt: Prompt) -> str:
    """Return the text up to where the answer begins, the answer's lead included."""
    messages = [{"role": "user", "content": prompt.text}]
    if prompt.system == "empty":
        messages.insert(0, {"role": "system", "content": ""})
    try:
        text = lay_out(tokenizer, messages, add_generation_prompt=True)
    except TemplateRefusedError as error:
        text = _without_system(tokenizer, messages, error)
    return f"{text}{prompt.lead}"


def _without_system(
    tokenizer: PreTrainedTokenizerBase, messages: list[dict[str, str]], error: TemplateRefusedError
) -> str:
    """Some templates (Gemma) take no system turn; an empty one can be left out."""
    try:
        return lay_out(tokenizer, [one for one in messages if one["role"] != "system"], add_generation_prompt=True)
    except TemplateRefusedError:
        raise EvaluationError(
            f"the model's chat template refuses the prompt {messages[-1]['content'][:60]!r} ({error})",
            remedy="use a model whose template takes a single user turn",
        ) from error


def _ask(tokenizer: PreTrainedTokenizerBase, prompt: Prompt) -> Asked:
    """Split the tokens of prefix + continuation at the longest prefix that all continuations share with the opening.

    A tokenizer may merge across the seam; tokens before the seam are then taken from the joint text, so that the
    log-probabilities are those of the text as the model would write it.
    """
    start = opening(tokenizer, prompt)
    glue = " " if prompt.lead else ""
    prefix = _ids(tokenizer, start)
    whole = [_ids(tokenizer, f"{start}{glue}{continuation}") for continuation in prompt.continuations]
    shared = min(common_length(prefix, ids) for ids in whole)
    if shared == 0 or any(len(ids) <= shared for ids in whole):
        raise ProbeUnreadableError(
            f"the tokenizer leaves nothing to read of a continuation of the prompt {prompt.text[:60]!r}",
            remedy="use longer alternatives or another lead in this probe",
        )
    return Asked(tuple(prefix[:shared]), tuple(tuple(ids[shared:]) for ids in whole))


def _ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])
