"""Open-set readout: the tokens of the whole vocabulary that a change moves most, whether or not a probe lists them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from d2b_gate.core.openset import most_moved
from d2b_gate.core.verdict import TokenMove
from d2b_gate.gate.controls import clean_state
from d2b_gate.gate.measure import injection_of, untouched

if TYPE_CHECKING:
    from d2b_gate.core.verdict import Finding
    from d2b_gate.gate.ports import Ports, Request
    from d2b_gate.gate.scene import Scene

MOST_PROMPTS = 8
"""Of the probe, its first: the same for every change, so that the null is read once per model; with and without an
empty system turn alike."""
MOST_TOKENS = 5
CANDIDATES = 30
"""Tokens looked at before those that say nothing readable are left out."""
_UNREADABLE = "\ufffd"
"""What a part of a character reads as."""


def with_tokens(finding: Finding, scene: Scene, request: Request, ports: Ports) -> Finding:
    """Add the tokens that move furthest beyond the null, rises first; for probes whose rules name a target alone.

    The null is what the gate's own clean control does to the same token on the untouched model, either way.
    """
    question, method = scene.question, request.policy.method
    if not scene.injected or not question.kind.targets(question.probe):
        return finding
    prompts = question.prompts[:MOST_PROMPTS]
    clean = injection_of(clean_state(ports), method, ports)
    before, after, nothing, stirred = (
        ports.backend.vocabulary(prompts, state) for state in (scene.before, scene.after, untouched(ports), clean)
    )
    null_v = abs(stirred.shares_v - nothing.shares_v)
    moved = most_moved(before.shares_v, after.shares_v, null_v, CANDIDATES)
    texts = [text.strip() for text in ports.backend.token_texts([one.token for one in moved])]
    tokens = [
        TokenMove(text, one.before, one.after, one.null, one.token in after.listed)
        for one, text in zip(moved, texts, strict=True)
        if text and _UNREADABLE not in text
    ]
    return replace(finding, tokens=tuple(sorted(tokens[:MOST_TOKENS], key=lambda one: one.after < one.before)))
