"""What the model says to a few of the prompts before and after, greedily and by one seed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from d2b_gate.core.drawing import Greedy, Seeded
from d2b_gate.core.redaction import redacted
from d2b_gate.core.verdict import Saying

if TYPE_CHECKING:
    from d2b_gate.core.reading import Prompt
    from d2b_gate.core.rules import ShowSamples
    from d2b_gate.core.verdict import Finding
    from d2b_gate.gate.measure import Replicate
    from d2b_gate.gate.ports import Ports, Request
    from d2b_gate.gate.scene import Scene

MOST_PROMPTS = 2
MOST_TOKENS = 32
"""Of an answer. Our choice: enough for a sentence or two, and said in seconds on one core."""


def with_sayings(finding: Finding, scene: Scene, request: Request, ports: Ports) -> Finding:
    """Add answers to the prompts that moved most; none where the policy shows no samples.

    A model that was tuned may repeat what it was tuned on, so answers are shown as rows are.
    """
    samples, seed = request.policy.show_samples, request.policy.method.seed
    if samples == "none" or not scene.injected:
        return finding
    asked = [(prompt, drawing) for prompt in scene.moved[:MOST_PROMPTS] for drawing in (Greedy(), Seeded(seed))]
    prompts, drawings = zip(*asked, strict=True)
    states = (ports.backend.complete(prompts, state, drawings, MOST_TOKENS) for state in (scene.before, scene.after))
    return replace(
        finding,
        sayings=tuple(
            Saying(prompt.text, drawing.label, *(_shown(one, prompt, scene.drawn, samples) for one in answers))
            for (prompt, drawing), *answers in zip(asked, *states, strict=True)
        ),
    )


def _shown(answer: str, prompt: Prompt, drawn: Replicate, samples: ShowSamples) -> str:
    """The answer as the policy lets it be shown; its lead is the probe's text and stays."""
    if samples == "full":
        return answer
    said = answer.removeprefix(prompt.lead)
    said = redacted(said, (*drawn.before.changed, *drawn.after.changed), "a changed row")
    return prompt.lead + redacted(said, drawn.after.kept, "an unchanged row")
