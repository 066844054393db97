"""From what was measured to the table of goals; a goal that could not be measured says why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Part = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Goal:
    """One row of the table; ``figure`` finds its value in the parts, by ``part.key``."""

    name: str
    about: str
    figure: str
    bound: float
    sense: Literal["<=", ">=", "<"]
    unit: Literal["share", "times", "seconds", "MB"]
    gpu: bool = False

    @property
    def wanted(self) -> str:
        """``<= 3 %``."""
        return f"{self.sense} {shown(self.bound, self.unit)}"

    def met(self, value: float) -> bool:
        """Whether a value is on the right side."""
        if self.sense == ">=":
            return value >= self.bound
        return value <= self.bound if self.sense == "<=" else value < self.bound


GROWTH_MB = 50.0
"""What "constant" allows, as in benchmarks/rows.py: an entry per changed row, and what Python keeps free."""
GOALS = (
    Goal("verdict path", "verdict path of a commit / the fine-tune", "ratios.verdict_path", 0.03, "<=", "share"),
    Goal("every-row features", "features of every row, once / the fine-tune", "ratios.features", 0.20, "<=", "share"),
    Goal("1 % changed", "1 % of the rows changed, warm store / cold gate", "ratios.changed", 0.20, "<=", "share"),
    Goal(
        "1 % changed, features",
        "the feature part of it / that of the cold gate",
        "ratios.changed_features",
        0.02,
        "<=",
        "share",
    ),
    Goal(
        "throughput, same batches",
        "features / a plain transformers loop, same batches and dtype",
        "extraction.faster_same",
        1.5,
        ">=",
        "times",
    ),
    Goal(
        "throughput, as written",
        "features / the loop as people write it, in the gate's dtype",
        "extraction.faster_written_in_its_dtype",
        3.0,
        ">=",
        "times",
    ),
    Goal(
        "throughput, same batches, GPU", "the same on a GPU, 14B shape", "gpu.faster_same", 2.0, ">=", "times", gpu=True
    ),
    Goal(
        "matrix rate, GPU",
        "share of the matrix rate that features reach, 14B shape",
        "gpu.share_of_rate",
        0.60,
        ">=",
        "share",
        gpu=True,
    ),
    Goal("hook", "a hook with nothing to do / `python -c pass`", "startup.over_python", 6.0, "<=", "times"),
    Goal(
        "hook beside pre-commit",
        "a hook with nothing to do / `pre-commit --version`",
        "startup.over_pre_commit",
        1.0,
        "<",
        "times",
    ),
    Goal(
        "verdict from the store",
        "a verdict that is known, without torch",
        "startup.known_verdict",
        0.5,
        "<=",
        "seconds",
    ),
    Goal("memory", "peak memory of 1 000 000 rows over that of few", "memory.growth_mb", GROWTH_MB, "<=", "MB"),
)


def table_of(parts: Mapping[str, Part], device: str) -> list[dict[str, Any]]:
    """One object per goal: name, value, goal, device; without a value, why."""
    return [_row(goal, parts, device) for goal in GOALS]


def _row(goal: Goal, parts: Mapping[str, Part], device: str) -> dict[str, Any]:
    part, key = goal.figure.split(".")
    found = parts.get(part, {})
    value = found.get(key)
    row: dict[str, Any] = {"name": goal.name, "about": goal.about, "value": value, "goal": goal.wanted}
    row["device"] = found.get("device", "GPU" if goal.gpu else device)
    if value is None:
        return {**row, "met": None, "why": found.get("why", "no GPU here" if goal.gpu else "not measured")}
    return {**row, "met": goal.met(value)}


def shown(value: float, unit: str) -> str:
    """A value for people."""
    if unit == "share":
        return f"{100 * value:.{0 if value >= 0.2 or value * 100 == round(value * 100) else 1}f} %"
    texts = {"seconds": f"{value:.2f} s", "times": f"{value:.3g}x", "MB": f"{value:.0f} MB"}
    return texts[unit]


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """The table of goals."""
    units = {goal.name: goal.unit for goal in GOALS}
    lines = ["| | measured | aimed at | met | device |", "|---|---:|---:|---|---|"]
    for row in rows:
        measured = f"not measured: {row['why']}" if row["value"] is None else shown(row["value"], units[row["name"]])
        met = {True: "yes", False: "no", None: ""}[row["met"]]
        lines.append(f"| {row['about']} | {measured} | {row['goal']} | {met} | {row['device']} |")
    return "\n".join(lines)
