"""The figures that documents show, written from the results so that the two cannot differ."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from benchmarks.costing.goals import markdown, shown
from benchmarks.scoring.markdown import rewrite
from benchmarks.scoring.standing import find
from benchmarks.truth.sources import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME = "cost.json"
FIDELITY = ROOT / "benchmarks" / "results" / "fidelity.json"
GUIDE = "docs/cost.md"
README = "README.md"


def write_docs(record: Mapping[str, Any], root: Path) -> None:
    """Put the figures between the marks of the guide, and of the README where it has some."""
    rewrite(root / GUIDE, NAME, block(record))
    rewrite(root / README, NAME, markdown(record["goals"]))


def block(record: Mapping[str, Any]) -> str:
    """The table of goals, and what its figures are made of."""
    parts = record["parts"]
    lines = [markdown(record["goals"])]
    for tell, needed in (
        (_finetune, "finetune"),
        (_commits, "ratios"),
        (_half, "half"),
        (_extraction, "extraction"),
        (_startup, "startup"),
    ):
        if needed in parts:
            lines += ["", tell(parts)]
    return "\n".join(lines)


def _finetune(parts: Mapping[str, Any]) -> str:
    part = parts["finetune"]
    hours = {name: f"{seconds / 3600:.1f} h" for name, seconds in part["seconds"].items()}
    other = next(name for name in hours if name != part["faster"])
    names = {"plain": "a loop of transformers and peft", "gate": "the gate's own training"}
    return (
        f"Fine-tune: {part['regime']} on {part['rows']} rows ({part['source']}; {part['tokens_per_row']:.0f} tokens "
        f"each), extrapolated from {part['timed_steps'][part['faster']]} timed steps: {hours[part['faster']]} by "
        f"{names[part['faster']]}, which every ratio is held against, and {hours[other]} by {names[other]}."
    )


def _commits(parts: Mapping[str, Any]) -> str:
    told = parts["ratios"]
    beside_plain = told["seconds"]["verdict path"] / parts["finetune"]["seconds"]["plain"]
    cells = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in told["seconds"].items())
    return (
        f"Commits of {told['changed_rows']} changed rows in {told['rows']}: {cells}. Features of every row: "
        f"{told['every_row']}. Held against the loop of transformers and peft, which is what people run, the verdict "
        f"path is {shown(beside_plain, 'share')}. On an empty store all of it, controls and features of every row "
        f"included, is {shown(told['cold'], 'share')} of the fine-tune. In FLOPs of the blocks: warm "
        f"{shown(told['flops']['warm'], 'share')}, cold {shown(told['flops']['cold'], 'share')} of it."
    )


def _half(parts: Mapping[str, Any]) -> str:
    """What half the steps would cost, and what they would cost in accuracy."""
    part, finetune = parts["half"], parts["finetune"]
    own, plain = (
        shown(part["path"] / seconds, "share") for seconds in (finetune["whole"], finetune["seconds"]["plain"])
    )
    fidelity = json.loads(FIDELITY.read_text(encoding="utf-8"))
    default = fidelity["default"]
    found, stopped = (
        [
            f"{100 * find(fidelity['contenders'], name, 'held_out')[figure]:.0f} %"
            for name in (f"{default}-{part['steps']}", default)
        ]
        for figure in ("tpr_at_fpr_1pct", "false_stop_rate_long")
    )
    return (
        f"Half the steps (`steps = {part['steps']}` under `[method]`, which the calibration of first looks holds for) "
        f"would make the verdict path {own} of the fine-tune, {plain} beside the loop of transformers and peft. They "
        f"are no default: of clean changes {stopped[0]} instead of {stopped[1]} would end inconclusive as part of a "
        f"training on about 380 rows or more, and at 1 % false positives {found[0]} instead of {found[1]} of the "
        "held-out shifts past their limit be found (`make bench-fidelity`)."
    )


def _extraction(parts: Mapping[str, Any]) -> str:
    part = parts["extraction"]
    peers = [f"{name} {part['seconds'][name]:.1f} s" for name in part["seconds"]]
    absent = [f"{name} {why}" for name, why in part["peers_not_measured"].items()]
    return (
        f"Features of {part['rows']} rows ({part['tokens']} tokens): {', '.join(peers)}; "
        f"{part['tokens_per_second']:.0f} tokens a second, {shown(part['share_of_rate'], 'share')} of the matrix rate "
        "measured on the model's shapes "
        f"({part['matrix_rate'] / 1e9:.0f} GFLOP/s). The loop as people write it loads {part['written_dtype']} here, "
        "for so the embedded model's files are converted"
        + (f"; beside that the gate is {part['faster_written']:.3g}x as fast." if "faster_written" in part else ".")
        + (f" Peers: {'; '.join(absent)}." if absent else "")
    )


def _startup(parts: Mapping[str, Any]) -> str:
    part = parts["startup"]
    cells = ", ".join(f"`{name}` {median:.0f} ms" for name, median in part["milliseconds"].items())
    return f"Medians of {part['rounds']} rounds: {cells}."
