"""What a finding was measured with, once more: its question, the two states, and the prompts by how far they moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.verdict import Shift
from d2b_gate.gate.explain import by_move
from d2b_gate.gate.measure import injection_of, replicate

if TYPE_CHECKING:
    from d2b_gate.core.features import Injected
    from d2b_gate.core.ports import Question
    from d2b_gate.core.reading import Prompt
    from d2b_gate.core.verdict import Finding
    from d2b_gate.gate.evaluate import GroupEvidence
    from d2b_gate.gate.measure import Replicate
    from d2b_gate.gate.ports import Ports


@dataclass(frozen=True, slots=True)
class Scene:
    """The first replicate of a finding's rule."""

    question: Question
    drawn: Replicate
    before: Injected
    after: Injected
    moved: tuple[Prompt, ...]  # those asked, largest move in the shift's direction first; none where not injected

    @property
    def injected(self) -> bool:
        """Whether the two states' answers were read; a first-order prediction has levels alone."""
        return bool(self.moved)


def scene_of(finding: Finding, one: GroupEvidence, index: int, ports: Ports) -> Scene:
    """Recall the two states; their tunings are remembered by the backend, so this costs next to nothing."""
    method, question = one.method, one.asked[index]
    drawn = replicate(one.group.job, method, 0, ports)
    before, after = (injection_of(state, method, ports) for state in (drawn.before, drawn.after))
    sign = 1.0 if not isinstance(finding.shift, Shift) or finding.shift.delta >= 0 else -1.0
    prompts = (*question.prompts, *question.probe.held_back())
    read = one.asking.after[index].log_probs and one.asking.before[index].log_probs
    moved = tuple(prompts[place] for place in by_move(one.asking, index, sign)) if read else ()
    return Scene(question, drawn, before, after, moved)
