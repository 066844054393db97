"""The models that this server runs: named at its start, found then, loaded when first needed, and kept."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from d2b_gate.core.errors import UnavailableError, UsageError
from d2b_gate.core.rows import Turn, make_row
from d2b_gate.registry import load
from d2b_gate.server.refusal import RefusalError
from d2b_gate.server.watch import Relay

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from d2b_gate.core.ports import Backend, ModelCard
    from d2b_gate.core.rules import ModelSpec
    from d2b_gate.server.settings import Settings

MOST_CARDS = 64
"""Cards that are remembered; clients differ in the length of rows alone, and few of them do."""


@runtime_checkable
class Shareable(Protocol):
    """A backend whose loaded model can be used under another card, with trainings kept elsewhere."""

    def beside(self, card: ModelCard, work: Path) -> Backend:
        """The same model."""


class Served:
    """Cards and backends of the served models. Cards may be asked for by any thread, a device's model by its worker."""

    def __init__(self, settings: Settings, note: Callable[[str], None]) -> None:
        """Find every model.

        Raises:
            GateError: one is not here, cannot be used, or is not the same on two devices.
        """
        self._settings = settings
        self._lock = threading.Lock()
        self._cards: dict[ModelSpec, ModelCard] = {}
        self._relays = {device: Relay(note) for device in settings.devices}
        self._opened: dict[tuple[str, ModelSpec], Backend] = {}
        self._used: set[tuple[str, ModelSpec]] = set()
        for spec in settings.models:
            opened = [self._open(spec, device) for device in settings.devices]
            if opened[0].keeps_adapters or settings.backend == "ray":
                raise UsageError("this backend runs no model itself", remedy="serve --backend local")
            if any(one.card != opened[0].card for one in opened):
                raise UsageError(
                    "the devices are of different kinds, which do not compute the same numbers",
                    remedy="run one server for each",
                )

    def card(self, spec: ModelSpec) -> ModelCard:
        """The card of a model as a client names it; cheap, and without importing torch.

        Raises:
            RefusalError: this server does not serve it.
            GateError: it is not what the client pins, or its files are no longer those of the start.
        """
        with self._lock:
            if spec not in self._cards:
                self._refuse_unserved(spec)
                card = self._card_now(spec, self._settings.devices[0])
                while len(self._cards) >= MOST_CARDS:
                    self._cards.pop(next(iter(self._cards)))
                self._cards[spec] = card
            return self._cards[spec]

    def relay(self, device: str) -> Relay:
        """Progress of whatever runs on a device."""
        return self._relays[device]

    def backend(self, spec: ModelSpec, device: str, work: Path) -> Backend:
        """The model on a device, with the client's length of rows; its trainings are kept below ``work``."""
        card = self.card(spec)
        if (device, self._served(spec)) not in self._used:  # it is loaded now: from the files of now
            self._card_now(spec, device)
            self._used.add((device, self._served(spec)))
        base = self._opened[device, self._served(spec)]
        return base.beside(card, work) if isinstance(base, Shareable) else base

    def preload(self, device: str) -> None:
        """Have every model in a device's memory."""
        row = make_row([Turn("user", "warm", trained=False)])
        for spec in self._settings.models:
            self._opened[device, spec].lengths([row])
            self._used.add((device, spec))

    def _served(self, spec: ModelSpec) -> ModelSpec:
        return next(one for one in self._settings.models if _fits(spec, one))

    def _card_now(self, spec: ModelSpec, device: str) -> ModelCard:
        """The card that the files say now.

        Raises:
            UnavailableError: it is not that of the model which was opened, and which is in memory.
        """
        card = self._open_anew(replace(spec, device=device), device).card
        base = self._opened[device, self._served(spec)].card
        if replace(card, max_length=base.max_length) != base:
            raise UnavailableError(
                "the model's files are no longer those with which the server started",
                where=spec.id,
                remedy="ask the server's owner to start it again",
            )
        return card

    def _open(self, spec: ModelSpec, device: str) -> Backend:
        self._opened[device, spec] = self._open_anew(replace(spec, device=device), device)
        return self._opened[device, spec]

    def _open_anew(self, spec: ModelSpec, device: str) -> Backend:
        opened: Backend = load("backends", self._settings.backend).open_backend(
            spec, self._settings.cache, None, self._relays[device]
        )
        return opened

    def _refuse_unserved(self, spec: ModelSpec) -> None:
        if any(_fits(spec, one) for one in self._settings.models):
            return
        known = ", ".join(
            f"{one.id}{'@' if one.revision else ''}{one.revision} {one.dtype}" for one in self._settings.models
        )
        raise RefusalError(
            *(403, "usage", f"the server does not run the model {spec.id!r} in this revision and dtype"),
            reason="model-not-served",
            where="model",
            remedy=f"ask for {known}, or ask the server's owner",
        )


def _fits(asked: ModelSpec, served: ModelSpec) -> bool:
    return (asked.id, asked.revision, asked.dtype) == (served.id, served.revision, served.dtype)
