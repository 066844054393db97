"""`probe try`: the untouched model's readings of a probe, printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.console import show
from d2b_gate.cli.experiment import experiment, here, shown
from d2b_gate.cli.progress import make_progress
from d2b_gate.cli.unavailable import inability
from d2b_gate.core.errors import Exit
from d2b_gate.core.printable import printable
from d2b_gate.gate.attempt import attempt
from d2b_gate.reports.numbers import counted, scale_of

if TYPE_CHECKING:
    from argparse import Namespace

    from d2b_gate.core.reading import Measured
    from d2b_gate.gate.attempt import Attempt, Behaviour
    from d2b_gate.reports.numbers import Scale

_ABSENT = "-"


def run_try(arguments: Namespace) -> int:
    """Read and print; nothing is judged."""
    if (error := inability(arguments)) is not None:
        raise error
    with here() as repository, make_progress(quiet=arguments.quiet) as progress:
        trial = experiment(repository, arguments, progress, calibrated=False)
        probe = trial.ports.probes(_reference(arguments.probe, trial.root))
        found = attempt(probe, trial.policy.method, arguments.placebos, trial.ports)
    show(json.dumps(as_json(found), indent=2) + "\n" if arguments.format == "json" else as_text(found))
    return int(Exit.OK)


def _reference(given: str, root: Path) -> str:
    """A file as the repository names it, wherever the command runs; an id as it is."""
    return shown(Path(given), root) if given.endswith(".toml") else given


def as_text(found: Attempt) -> str:
    """What was asked of what, a line per behaviour, and what to look at."""
    probe, card, scale = found.probe, found.card, scale_of(found.probe.unit)
    asked, held_back = len(probe.asked()), len(probe.held_back())
    head = [
        f"{probe.id}: {printable(probe.title)}",
        f"{probe.kind}, {probe.unit}; {counted(asked, 'prompt')} asked, {held_back} held back",
        f"{printable(card.id)} {printable(card.revision)}, {card.dtype}, untouched; in {scale.level_unit}",
    ]
    return "\n".join([*head, "", *_table(found, scale), *_remarks(found)]) + "\n"


def _table(found: Attempt, scale: Scale) -> list[str]:
    clean = any(one.clean for one in found.behaviours)
    titles = ["behaviour", "asked", "held back", *(["clean changes", "noise floor"] if clean else [])]
    lines = [titles, *(_cells(one, scale) for one in found.behaviours)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(titles))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def _cells(one: Behaviour, scale: Scale) -> list[str]:
    name = printable(one.target) if one.target else "positive - negative"
    readings = [_level(one.asked, scale), *([_level(each, scale) for each in one.held_back] or [_ABSENT])]
    if not one.clean:
        return [name, *readings]
    (clean,) = one.clean
    spread = f"{scale.delta(min(clean.shifts))} to {scale.delta(max(clean.shifts))}"
    return [name, *readings, spread, scale.level(clean.floor)]


def _level(reading: Measured, scale: Scale) -> str:
    return f"{scale.level(reading.level)} [{scale.level(reading.low)}, {scale.level(reading.high)}]"


def _remarks(found: Attempt) -> list[str]:
    lines = [
        f"held-back prompts read otherwise than the asked ones: {printable(one.target) or 'the contrast'} "
        f"(adjusted p {one.p:.2g}); look for prompts that ask something else"
        for one in found.apart
    ]
    if not any(one.clean for one in found.behaviours):
        lines.append("the noise floor is not known: --placebos 6 predicts six clean changes")
    else:
        lines.append("set limits above the noise floor: one more clean change stays under it")
    return ["", *lines]


def as_json(found: Attempt) -> dict[str, object]:
    """The same for programs, unrounded."""
    return {
        "schema": "d2b-gate.attempt/1",
        "probe": found.probe.id,
        "probe_digest": found.probe.digest,
        "unit": found.probe.unit,
        "model": found.card.id,
        "model_revision": found.card.revision,
        "prompts": {"asked": len(found.probe.asked()), "held_back": len(found.probe.held_back())},
        "behaviours": [_plain(one) for one in found.behaviours],
    }


def _plain(one: Behaviour) -> dict[str, object]:
    plain: dict[str, object] = {"target": one.target, "asked": _reading(one.asked)}
    for each in one.held_back:
        plain |= {"held_back": _reading(each), "p_same": one.p}
    for clean in one.clean:
        plain["clean"] = {"shifts": list(clean.shifts), "noise_floor": clean.floor}
    return plain


def _reading(reading: Measured) -> dict[str, float]:
    return {"level": reading.level, "low": reading.low, "high": reading.high}
