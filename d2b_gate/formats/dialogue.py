"""Lists of turns, as `messages` and ShareGPT write them, and the pieces that the row shapes share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from d2b_gate.core.rows import Turn
from d2b_gate.formats.interface import kind_of
from d2b_gate.formats.tools import call_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.formats.interface import Fields

_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "function_call": "assistant",
    "tool": "tool",
    "function": "tool",
    "tool_response": "tool",
    "observation": "tool",
}
"""Names of TRL, OpenAI, Gemma and LLaMA-Factory for the roles of a turn."""


def dialogue(value: object, column: str, fields: Fields) -> list[Turn]:
    """Read a list of turns, or one turn alone; assistant turns are trained unless they say otherwise."""
    items = [value] if isinstance(value, Mapping) else value
    if not isinstance(items, list):
        raise fields.error(f"the field '{column}' is {kind_of(value)}, not a list of turns")
    if not items:
        raise fields.error(f"the field '{column}' is an empty list")
    return [_turn(item, f"{column}[{index}]", fields) for index, item in enumerate(items)]


def said(value: object, role: str, column: str, fields: Fields) -> list[Turn]:
    """Read what one side says: text, or turns."""
    if isinstance(value, str):
        return [Turn(role, value, role == "assistant")]
    return dialogue(value, column, fields)


def with_system(turns: Sequence[Turn], fields: Fields) -> list[Turn]:
    """Put the ``system`` column first, unless it is empty or the turns begin with a system turn of their own."""
    text = fields.text_or_empty("system")
    if not text or (turns and turns[0].role == "system"):
        return list(turns)
    return [Turn("system", text, False), *turns]


def untrained(turns: Sequence[Turn]) -> list[Turn]:
    """Take the loss off every turn."""
    return [replace(turn, trained=False) for turn in turns]


def last_answer_only(turns: Sequence[Turn]) -> list[Turn]:
    """Keep the loss on the last trained turn alone, as preference training does."""
    last = max((index for index, turn in enumerate(turns) if turn.trained), default=-1)
    return [replace(turn, trained=turn.trained and index == last) for index, turn in enumerate(turns)]


def _turn(item: object, place: str, fields: Fields) -> Turn:
    if not isinstance(item, Mapping):
        raise fields.error(f"{place} is {kind_of(item)}, not a turn")
    role = _role(item, place, fields)
    return Turn(role, _content(item, place, fields), role == "assistant" and _is_trained(item, place, fields))


def _role(item: Mapping[str, object], place: str, fields: Fields) -> str:
    name = item.get("role") or item.get("from")
    role = _ROLES.get(name) if isinstance(name, str) else None
    if role is None:
        raise fields.error(f"{place} has no known role; known are {', '.join(_ROLES)}")
    return role


def _content(item: Mapping[str, object], place: str, fields: Fields) -> str:
    """Join a turn's thoughts, words and tool calls into the text that is trained on."""
    content = item.get("content", item.get("value"))
    thoughts = item.get("reasoning_content") or item.get("thinking") or ""
    calls = call_text(item, place, fields)
    if content is None and not calls:
        raise fields.error(f"{place} has no content")
    if not isinstance(thoughts, str):
        raise fields.error(f"the reasoning of {place} is {kind_of(thoughts)}, not text")
    # Our choice: the form that the Qwen and DeepSeek templates write.
    opening = f"<think>\n{thoughts}\n</think>\n\n" if thoughts else ""
    words = "" if content is None else _words(content, place, fields)
    return opening + "\n".join(part for part in (words, calls) if part)


def _words(content: object, place: str, fields: Fields) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise fields.error(f"the content of {place} is {kind_of(content)}, not text")
    return "".join(_part(part, place, fields) for part in content)


def _part(part: object, place: str, fields: Fields) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, Mapping) and part.get("type", "text") == "text" and isinstance(part.get("text"), str):
        return str(part["text"])
    raise fields.error(f"the content of {place} has a part that is not text; images and sound cannot be judged")


def _is_trained(item: Mapping[str, object], place: str, fields: Fields) -> bool:
    """Read ``weight`` (0 takes the loss off; any other weight counts as trained) and ``train``."""
    weight, train = item.get("weight"), item.get("train")
    if weight is not None and (isinstance(weight, bool) or not isinstance(weight, int | float) or not weight >= 0):
        raise fields.error(f"the weight of {place} is not a number from 0 upward")
    if train is not None and not isinstance(train, bool):
        raise fields.error(f"'train' of {place} is {kind_of(train)}, not true or false")
    return weight != 0 and train is not False
