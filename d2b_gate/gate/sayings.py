"""What the model says to a few of the prompts before and after, greedily and by one seed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from d2b_gate.core.drawing import Greedy, Seeded
from d2b_gate.core.redaction import redacted, runs_of
from d2b_gate.core.verdict import Saying

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.reading import Prompt
    from d2b_gate.core.rules import ShowSamples
    from d2b_gate.core.verdict import Finding
    from d2b_gate.gate.measure import Replicate
    from d2b_gate.gate.ports import Ports, Request
    from d2b_gate.gate.scene import Scene

MOST_PROMPTS = 2
MOST_TOKENS = 24
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
    states = [ports.backend.complete(prompts, state, drawings, MOST_TOKENS) for state in (scene.before, scene.after)]
    before, after = (_shown(answers, prompts, scene.drawn, samples) for answers in states)
    return replace(
        finding,
        sayings=tuple(
            Saying(prompt.text, drawing.label, *answers)
            for (prompt, drawing), *answers in zip(asked, before, after, strict=True)
        ),
    )


def _shown(
    answers: Sequence[str], prompts: Sequence[Prompt], drawn: Replicate, samples: ShowSamples
) -> tuple[str, ...]:
    """The answers as the policy lets them be shown; their leads are the probe's text and stay."""
    if samples == "full":
        return tuple(answers)
    said = [answer.removeprefix(prompt.lead) for answer, prompt in zip(answers, prompts, strict=True)]
    changed = runs_of((*drawn.before.changed, *drawn.after.changed), said)
    unchanged = runs_of(drawn.after.kept, said)
    less = (redacted(redacted(one, changed, "a changed row"), unchanged, "an unchanged row") for one in said)
    return tuple(prompt.lead + one for prompt, one in zip(prompts, less, strict=True))
