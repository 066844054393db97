"""The calibrations that a check may use; needs no numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.calibration_file import read_calibration
from d2b_gate.probes.catalogue import pack_root

if TYPE_CHECKING:
    from collections.abc import Callable

    from d2b_gate.core.calibration_file import Calibration

CALIBRATION = "d2b-gate.calibration.json"
"""Where `calibrate` writes, and where `check` looks first: beside the policy, and read from the policy's state."""


def calibrations(reader: Callable[[str], str | None]) -> tuple[Calibration, ...]:
    """Calibrations that a check may use: the repository's own, then those that ship with the gate."""
    own = reader(CALIBRATION)
    found = [] if own is None else [read_calibration(own, CALIBRATION)]
    shipped = sorted((pack_root() / "calibration").glob("*.json"))
    found += [read_calibration(file.read_text(encoding="utf-8"), f"d2b:calibration/{file.name}") for file in shipped]
    return tuple(found)
