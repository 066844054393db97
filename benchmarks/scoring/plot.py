"""Predicted against true shifts, as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.scoring.scores import SPLITS
from benchmarks.truth.behaviours import BEHAVIOURS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.scoring.scores import Judged

LINEAR = 1.0
"""Nats around zero that are drawn to scale; beyond, the axes are logarithmic."""
WORDS = {"held_out": "held out", "tuned": "tuned on"}


def draw(judged: Sequence[Judged], path: Path) -> None:
    """Draw a row of panels per contender and a column per split. Needs matplotlib."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(len(judged), len(SPLITS), figsize=(9.5, 4.2 * len(judged)), squeeze=False)
    for row, one in zip(panels, judged, strict=True):
        reach = 1.1 * max((max(abs(r.true.nats), abs(r.expected.nats)) for r in one.readings), default=1.0)
        for panel, split in zip(row, SPLITS, strict=True):
            _panel(panel, one, split, reach)
    handles, labels = panels[0][-1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=4, fontsize=8, frameon=False)
    figure.tight_layout(rect=(0, 0.3 / len(judged) / 2, 1, 1))
    figure.savefig(path, dpi=80, metadata={"Software": None})
    pyplot.close(figure)


def _panel(panel: Any, judged: Judged, split: str, reach: float) -> None:  # noqa: ANN401  # matplotlib's axes
    found = judged.of(split)
    panel.plot((-reach, reach), (-reach, reach), color="0.7", linewidth=0.8, zorder=0)
    for place, behaviour in enumerate(BEHAVIOURS):
        own = [one for one in found if one.behaviour is behaviour]
        panel.scatter(
            [one.expected.nats for one in own],
            [one.true.nats for one in own],
            s=14,
            color=f"C{place % 10}",
            marker="o" if place < 10 else "^",
            alpha=0.75,
            linewidths=0,
            label=behaviour.name,
        )
    panel.set_xscale("symlog", linthresh=LINEAR)
    panel.set_yscale("symlog", linthresh=LINEAR)
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_formatter("{x:g}")
    panel.set_xlim(-reach, reach)
    panel.set_ylim(-reach, reach)
    panel.set_title(f"{judged.contender.name}, {WORDS[split]}, n = {len(found)}", fontsize=10)
    panel.set_xlabel("expected shift, nats", fontsize=9)
    panel.set_ylabel("true shift, nats", fontsize=9)
    panel.tick_params(labelsize=8)
