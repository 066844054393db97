"""The ``[[prompt]]`` tables of a probe file, for the kinds that share their form."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from d2b_gate.core.reading import Prompt

if TYPE_CHECKING:
    from collections.abc import Callable

    from d2b_gate.probes.form import Form

# Caps keep one probe from costing more than the change it judges; shipped ones use 32 prompts of under 300 characters.
MOST_PROMPTS = 512
MOST_TEXT = 4000
MOST_LEAD = 400
MOST_CONTINUATION = 400
FEWEST_ASKED = 2  # an interval over prompts needs at least two

KEYS = frozenset({"text", "lead", "system", "held_back"})
SYSTEMS = ("default", "empty")
_COUNTERBALANCED = ("default", "empty", "empty", "default")


def read_prompts(
    form: Form, own: frozenset[str], continuations: Callable[[Form], tuple[str, ...]]
) -> tuple[Prompt, ...]:
    """Read every prompt; ``own`` are the keys that the kind adds, and ``continuations`` reads them."""
    prompts: list[Prompt] = []
    seen: set[tuple[object, ...]] = set()
    undeclared = {True: 0, False: 0}  # per group, asked or held back, so that one group's length never moves the other
    for entry in form.tables("prompt", MOST_PROMPTS):
        entry.only(KEYS | own)
        held_back = entry.flag("held_back")
        system = entry.choice("system", SYSTEMS) if entry.has("system") else ""
        text = entry.text("text", MOST_TEXT)
        lead = entry.text("lead", MOST_LEAD, default="")
        if (content := (system, text, lead, continuations(entry))) in seen:
            entry.wrong("the prompt repeats an earlier one", "text", "remove it or reword it")
        seen.add(content)
        if not system:
            system = _COUNTERBALANCED[undeclared[held_back] % len(_COUNTERBALANCED)]
            undeclared[held_back] += 1
        prompts.append(make_prompt(system, text, lead, content[3], held_back=held_back))
    if sum(not prompt.held_back for prompt in prompts) < FEWEST_ASKED:
        form.wrong(f"at least {FEWEST_ASKED} prompts must not be held back", "prompt")
    return tuple(prompts)


def make_prompt(system: str, text: str, lead: str, continuations: tuple[str, ...], *, held_back: bool) -> Prompt:
    """Build a prompt; its key covers what the model sees, so that holding it back or not keeps its readings."""
    content = json.dumps([system, text, lead, list(continuations)], ensure_ascii=False, separators=(",", ":"))
    key = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
    return Prompt(key, system, text, lead, continuations, held_back)
