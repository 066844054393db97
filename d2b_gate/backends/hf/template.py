"""Messages to text with the model's own chat template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedTokenizerBase

FALLBACK_TEMPLATE = (
    "{% for message in messages %}"
    "{{ message['role'] | capitalize + ': ' + message['content'] + (eos_token or '') + '\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'Assistant: ' }}{% endif %}"
)
"""Laid out for models that bring no chat template; `d2b-gate doctor` and the report say when it is used."""


class TemplateRefusedError(Exception):
    """The template does not take these messages; the text says why, on one line."""


def lay_out(
    tokenizer: PreTrainedTokenizerBase,
    messages: Sequence[dict[str, str]],
    *,
    tools: list[Any] | None = None,
    add_generation_prompt: bool = False,
) -> str:
    """Return the text of the messages.

    Raises:
        TemplateRefusedError: the template raises, whether on purpose or by stumbling over the messages.
    """
    template = None if tokenizer.chat_template else FALLBACK_TEMPLATE
    try:
        text = tokenizer.apply_chat_template(
            list(messages),
            tools=tools,
            chat_template=template,
            tokenize=False,
            add_generation_prompt=add_generation_prompt,
        )
    except (TemplateError, ValueError, TypeError, KeyError, AttributeError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise TemplateRefusedError(reason) from error
    return str(text)
