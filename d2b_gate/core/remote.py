"""What a remote backend and `serve` say to each other, version 1: arguments and results of a backend's verbs as JSON.

One request is one *job*: a verb and its arguments. Its name is a hash of both and of the model, so that asking twice is
asking once. Rows are named by their keys; their text travels separately, and only where the server does not have it.
Arrays are float32, little-endian, in base64. Adapters never travel: the server keeps what it trained, and a job names
it by the job that trained it (`core.features.Kept`).
"""

from __future__ import annotations

import base64
import binascii
import math
from typing import TYPE_CHECKING

from d2b_gate.core.drawing import Greedy
from d2b_gate.core.errors import UnavailableError
from d2b_gate.core.features import Injection, Kept
from d2b_gate.core.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from d2b_gate.core.drawing import Drawing
    from d2b_gate.core.features import Injected
    from d2b_gate.core.finetune import FinetunePlan
    from d2b_gate.core.plan import TunePlan
    from d2b_gate.core.ports import ModelCard
    from d2b_gate.core.reading import Prompt

PROTOCOL = 1
"""The number in the addresses: ``/v1/jobs``."""
VERBS = (
    *("lengths", "states", "gradients", "tune", "finetune", "read", "sensitivities", "complete", "vocabulary"),
    "token_texts",
)
"""The verbs of the backend port; each is answered by a result of its own form (`said_*`)."""
FINAL = ("done", "failed", "cancelled")
"""How a job can have ended; asking again queues a failed or cancelled one anew."""
STATES = ("queued", "running", *FINAL)
"""What a job can be."""


def job_name(card: ModelCard, verb: str, arguments: Mapping[str, object]) -> str:
    """Name of a job, the same for whoever computes it; features of another version have other names."""
    return fingerprint("job", (card, verb, dict(arguments)))


def said_tuning(plan: TunePlan) -> dict[str, object]:
    """Arguments of ``tune``."""
    return {
        "rows": [row.key for row in plan.rows],
        "steps": [{"rows": list(step.rows), "weights": list(step.weights)} for step in plan.steps],
        "learning_rate": plan.learning_rate,
        "beta1": plan.beta1,
        "beta2": plan.beta2,
        "epsilon": plan.epsilon,
    }


def said_training(plan: FinetunePlan) -> dict[str, object]:
    """Arguments of ``finetune``."""
    regime = plan.regime
    return {
        "rows": [row.key for row in plan.rows],
        "steps": [list(step) for step in plan.steps],
        "regime": {
            "kind": regime.kind,
            "rank": regime.rank,
            "alpha": regime.alpha,
            "optimizer": regime.optimizer,
            "learning_rate": regime.learning_rate,
            "epochs": regime.epochs,
            "batch_size": regime.batch_size,
        },
        "seed": plan.seed,
    }


def said_prompts(prompts: Sequence[Prompt]) -> list[dict[str, object]]:
    """Prompts as the verbs that read take them."""
    return [
        {
            "key": prompt.key,
            "system": prompt.system,
            "text": prompt.text,
            "lead": prompt.lead,
            "continuations": list(prompt.continuations),
            "held_back": prompt.held_back,
        }
        for prompt in prompts
    ]


def said_injection(injection: Injected) -> dict[str, object]:
    """Vectors in full, adapters by the names of the jobs that trained them.

    Raises:
        TypeError: an adapter's matrices, which are never sent.
    """
    if isinstance(injection, Kept):
        return {"kept": [{"job": name, "weight": weight} for name, weight in injection.parts]}
    if isinstance(injection, Injection):
        return {
            "sites": [site.block for site in injection.sites],
            "vectors": said_array(injection.vectors_ld),
            "scale": injection.scale,
        }
    raise TypeError("an adapter is not sent to a remote backend")


def said_drawings(drawings: Sequence[Drawing]) -> list[dict[str, object]]:
    """How each answer is drawn: ``{}`` for the likeliest token, or a seed."""
    return [{} if isinstance(drawing, Greedy) else {"seed": drawing.seed} for drawing in drawings]


def said_array(values: NDArray[np.float32]) -> dict[str, object]:
    """A float32 array of any shape."""
    content = values.astype("<f4").tobytes()
    return {"shape": list(values.shape), "float32": base64.b64encode(content).decode("ascii")}


def heard_array(said: object, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """An array from `said_array`, of exactly this shape (-1: any length) and finite.

    Raises:
        UnavailableError: it is no such array.
    """
    import numpy as np

    if not isinstance(said, dict):
        raise misheard("an array is missing")
    stated, text = said.get("shape"), said.get("float32")
    if not isinstance(stated, list) or not isinstance(text, str) or not all(isinstance(n, int) for n in stated):
        raise misheard("an array has no shape or no content")
    fits = len(stated) == len(shape) and all(want in (-1, n) for want, n in zip(shape, stated, strict=True))
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise misheard("an array is not in base64") from None
    if not fits or min(stated, default=0) < 0 or len(content) != 4 * math.prod(stated):
        raise misheard(f"an array has the shape {stated[:4]} where {list(shape)} is expected")
    values = np.frombuffer(content, dtype="<f4").reshape(stated).astype(np.float32)
    if not bool(np.isfinite(values).all()):
        raise misheard("an array holds a number that is not finite")
    return values


def misheard(what: str) -> UnavailableError:
    """The error for an answer that is none."""
    return UnavailableError(
        f"the remote backend's answer cannot be used: {what}", remedy="compare the versions of both sides"
    )
