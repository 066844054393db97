"""What runs on a cluster's worker: one backend, opened once, and the verbs that are asked of it. Imports no ray."""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate import __version__
from d2b_gate.core.errors import EvaluationError, GateError, ProbeUnreadableError, UnavailableError, UsageError
from d2b_gate.core.features import signature_of
from d2b_gate.core.fingerprint import SPOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from d2b_gate.core.features import Signature, Site, States
    from d2b_gate.core.ports import Backend, ModelCard, Progress
    from d2b_gate.core.rows import Row
    from d2b_gate.core.rules import ModelSpec

RUNS_A_MODEL = "d2b_gate.backends.hf.opening:open_backend"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a worker opens its backend.

    ``opening`` is "module:function" with the arguments of every backend's ``open_backend``. ``cache`` and ``checkout``
    are directories on the worker's machine; ``store`` is handed to ``opening`` as its address.
    """

    spec: ModelSpec
    cache: str
    checkout: str = ""
    store: str = ""
    opening: str = RUNS_A_MODEL


@dataclass(frozen=True, slots=True)
class Opened:
    """What a worker says of itself: equal ones compute alike."""

    version: str
    feature_version: int
    card: ModelCard


@dataclass(frozen=True, slots=True)
class Refused:
    """An error of the project's own; it would be the same on any other worker."""

    kind: str
    what: str
    where: str
    remedy: str

    def error(self) -> GateError:
        """The error again, in the process that asked."""
        return _KINDS.get(self.kind, EvaluationError)(self.what, where=self.where, remedy=self.remedy)


_KINDS: dict[str, type[GateError]] = {
    kind.__name__: kind for kind in (UsageError, UnavailableError, ProbeUnreadableError, EvaluationError)
}


class Quiet:
    """Progress that nobody watches: a worker's output goes nowhere."""

    def stage(self, name: str, total: int) -> None:
        """Begin nothing."""

    def advance(self, steps: int = 1) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""


class Worker:
    """An actor of the cluster."""

    def __init__(self) -> None:
        self._backend: Backend | None = None

    def open(self, recipe: Recipe) -> Opened | Refused:
        """Find the model; it is loaded by the first verb that needs it."""
        try:
            self._backend = open_by(recipe, Quiet())
            return Opened(__version__, SPOKEN, self._backend.card)
        except GateError as error:
            return _refused(error)

    def run(self, verb: str, arguments: tuple[object, ...]) -> object:
        """Answer a verb of the port, or one of this module's; a `Refused` where the project raises an error."""
        try:
            if verb in _OWN:
                return _OWN[verb](self._backend, *arguments)
            return getattr(self._backend, verb)(*arguments)
        except GateError as error:
            return _refused(error)

    def pid(self) -> int:
        """This worker's process."""
        return os.getpid()


def open_by(recipe: Recipe, progress: Progress) -> Backend:
    """Open the recipe's backend in this process."""
    module, _, function = recipe.opening.partition(":")
    checkout = Path(recipe.checkout) if recipe.checkout else None
    opened: Backend = getattr(importlib.import_module(module), function)(
        recipe.spec, Path(recipe.cache), checkout, progress, recipe.store
    )
    return opened


def features(backend: Backend, feature: str, rows: Sequence[Row], sites: tuple[Site, ...]) -> NDArray[np.float32]:
    """Features of rows. Shapes: (rows, sites, width)."""
    return _states(backend, feature, rows, sites).values_nld


def signature(
    backend: Backend, feature: str, rows: Sequence[Row], sites: tuple[Site, ...], weights: Sequence[float]
) -> Signature:
    """The weighted sum of the rows' features, so that none of them travels."""
    return signature_of(_states(backend, feature, rows, sites), weights)


_OWN: dict[str, Callable[..., object]] = {"features": features, "signature": signature}


def _states(backend: Backend, feature: str, rows: Sequence[Row], sites: tuple[Site, ...]) -> States:
    """Gradients, or hidden states by the pooling that is named."""
    if feature == "gradients":
        return backend.gradients(rows)
    return backend.states(rows, "last" if feature == "last" else "response", sites)


def _refused(error: GateError) -> Refused:
    return Refused(type(error).__name__, error.what, error.where, error.remedy)
