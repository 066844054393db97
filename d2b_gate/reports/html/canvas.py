"""One matplotlib figure in pixels, untouched by the settings of a machine or of a checkout, as SVG text."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import warnings
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.reports.html.palette import STAND_INS

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

WIDTH = 420  # px; our choice: readable unscaled beside a table, and still when scaled down to a phone
_DPI = 72  # the SVG backend's own: one point is one pixel
_ROOM = 0.06  # of an axis, left free at either end


@dataclass(frozen=True, slots=True)
class Frame:
    """Height of a picture and the room around its axes, in pixels."""

    height: float
    left: float
    right: float
    top: float
    bottom: float


def picture(frame: Frame, draw: Callable[[Axes], None]) -> str:
    """Let ``draw`` fill bare axes with a horizontal scale below; return the SVG text, the same on every run."""
    _import_elsewhere()
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a glyph that the measuring font lacks: the page's own font has it
        matplotlib.rcdefaults()
        matplotlib.rc("svg", fonttype="none", hashsalt="d2b-gate")  # text stays text; ids depend on the picture alone
        matplotlib.rc("text", parse_math=False)  # a `$` of a file name is a dollar sign
        figure = Figure(figsize=(WIDTH / _DPI, frame.height / _DPI), dpi=_DPI)
        figure.patch.set_visible(False)
        draw(_bare(figure.add_axes(_box(frame))))
        text = StringIO()
        FigureCanvasSVG(figure)
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()


def _import_elsewhere() -> None:
    """Import matplotlib from outside a checkout: at import it obeys a ``matplotlibrc`` of the working directory."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it tells of caches and fonts; a report says nothing
    if "matplotlib" in sys.modules:
        return
    here = Path.cwd()
    os.chdir(Path(__file__).parent)
    try:
        importlib.import_module("matplotlib")
    finally:
        os.chdir(here)


def _box(frame: Frame) -> tuple[float, float, float, float]:
    wide, high = WIDTH - frame.left - frame.right, frame.height - frame.top - frame.bottom
    return frame.left / WIDTH, frame.bottom / frame.height, wide / WIDTH, high / frame.height


def _bare(axes: Axes) -> Axes:
    axes.patch.set_visible(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, pad=6, labelsize=11, labelcolor=STAND_INS["muted"])
    axes.set_yticks([])
    return axes


def stretch(values: list[float]) -> tuple[float, float]:
    """The ends of an axis that shows all values, with room to spare, whatever their size."""
    low, high = min(values), max(values)
    room = max((high - low) * _ROOM, max(abs(low), abs(high)) * 1e-3, 1e-6)
    return low - room, high + room
