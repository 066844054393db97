"""Charts drawn by matplotlib: one function per kind of chart, from its numbers to SVG text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.reports.html.canvas import Frame, picture, stretch
from d2b_gate.reports.html.charts import Course, Levels, Overview, Response, Rows
from d2b_gate.reports.html.palette import MARKERS, STAND_INS
from d2b_gate.reports.html.shortening import head_of, tail_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from d2b_gate.reports.html.charts import Bar, Chart, Mark, Span

_LINE = 15  # px of a line of small text
_FAR = 8.0  # multiples of a limit that an overview shows; what lies past them is an arrow at the edge
_WORD = 42  # px that the word of a line takes, with some room
_EDGE = 0.12  # of an axis; a word nearer to an end is aligned to it
_DASHES = {"limit": (0, (5, 3)), "warn": (0, (1, 2.5)), "ceiling": "solid"}
_ORDER = ("warn", "limit", "ceiling")


def drawn(chart: Chart) -> str:
    """The chart as matplotlib's SVG."""
    if isinstance(chart, Levels):
        return _levels(chart)
    if isinstance(chart, Overview):
        return _overview(chart)
    if isinstance(chart, Response):
        return _response(chart)
    return _rows(chart) if isinstance(chart, Rows) else _course(chart)


def _levels(chart: Levels) -> str:
    words = _LINE * len(_words(chart.marks))
    frame = Frame(26 * len(chart.spans) + words + 50, 58, 14, words + 8, 42)

    def draw(axes: Axes) -> None:
        places = [*(x for span in chart.spans for x in (span.low, span.high, span.value)), *_values(chart.marks)]
        _scale(axes, stretch(places), chart.unit)
        _rows_of(axes, len(chart.spans))
        _uprights(axes, chart.marks)
        for y, span in enumerate(chart.spans):
            _label(axes, y, span.label)
            _span(axes, y, span, "ink")

    return picture(frame, draw)


def _overview(chart: Overview) -> str:
    frame = Frame(22 * len(chart.spans) + 74, 204, 14, _LINE + 10, 44)
    values = [*(x for span in chart.spans for x in (span.low, span.high, span.value)), *_values(chart.marks), 0.0]
    low, high = stretch([min(_FAR, max(-_FAR, value)) for value in values])

    def draw(axes: Axes) -> None:
        _scale(axes, (low, high), "times the rule's limit")
        _rows_of(axes, len(chart.spans))
        axes.axvline(0.0, color=STAND_INS["muted"], linewidth=1)
        _uprights(axes, chart.marks)
        for y, span in enumerate(chart.spans):
            _label(axes, y, head_of(span.label, 29))
            _bounded(axes, y, span, (low, high))

    return picture(frame, draw)


def _bounded(axes: Axes, y: int, span: Span, ends: tuple[float, float]) -> None:
    """A span cut at the ends of the axis, with an arrow in place of a point that lies past them."""
    value, low, high = (min(ends[1], max(ends[0], end)) for end in (span.value, span.low, span.high))
    axes.hlines([y], [low], [high], color=STAND_INS[span.kind], linewidth=2, clip_on=False)
    marker = MARKERS[span.kind] if value == span.value else ">" if span.value > value else "<"
    _point(axes, (value, y), marker, span.kind, 7)


def _rows(chart: Rows) -> str:
    frame = Frame(42 * len(chart.bars) + 44, 8, 14, 2, 42)
    values = [bar.percent for bar in chart.bars]

    def draw(axes: Axes) -> None:
        axes.set_xlim(min(0.0, *values), max(100.0, *values))
        _ticks(axes, "% of the predicted shift")
        axes.grid(visible=False)
        axes.set_ylim(len(chart.bars), 0)
        for y, bar in enumerate(chart.bars):
            _bar(axes, y, bar)

    return picture(frame, draw)


def _bar(axes: Axes, y: int, bar: Bar) -> None:
    """A filled bar for a checked share, a hollow one for an estimate; its words stand above it."""
    fill = STAND_INS["ink"] if bar.checked else "none"
    axes.barh([y + 0.7], [bar.percent], height=0.22, color=fill, edgecolor=STAND_INS["ink"], clip_on=False)
    across = axes.get_yaxis_transform()
    for x, side, text in ((0.0, "left", tail_of(bar.label, 42)), (1.0, "right", head_of(bar.said, 16))):
        axes.text(x, y + 0.46, text, transform=across, ha=side, va="baseline", fontsize=12, color=STAND_INS["ink"])


def _course(chart: Course) -> str:
    frame = Frame(180, 52, 66, 24, 28)

    def draw(axes: Axes) -> None:
        places = [x for span in chart.spans for x in (span.low, span.high, span.value)]
        axes.set_xlim(-0.3, len(chart.spans) - 0.7)
        _heights(axes, [*places, 0.0], chart.marks, chart.unit)
        axes.axhline(0.0, color=STAND_INS["muted"], linewidth=1)
        axes.plot([span.value for span in chart.spans], color=STAND_INS["muted"], linewidth=1, clip_on=False)
        for x, span in enumerate(chart.spans):
            axes.vlines([x], [span.low], [span.high], color=STAND_INS[span.kind], linewidth=1.5, clip_on=False)
            _point(axes, (x, span.value), MARKERS[span.kind], span.kind, 5 if x < len(chart.spans) - 1 else 8)
        axes.set_xticks([0, len(chart.spans) - 1], [chart.spans[0].label, chart.spans[-1].label])

    return picture(frame, draw)


def _response(chart: Response) -> str:
    frame = Frame(200, 52, 66, 24, 44)
    strengths = [strength for strength, _ in chart.points]
    heights = [level for _, level in chart.points]

    def draw(axes: Axes) -> None:
        _heights(axes, heights, chart.marks, chart.unit)
        _scale(axes, stretch(strengths), "strength of the change's effect; 1 is the change itself")
        axes.plot(strengths, heights, color=STAND_INS["ink"], linewidth=1.5, clip_on=False)
        for strength, height in chart.points:
            kind = "after" if strength == 1 else "before"
            _point(axes, (strength, height), MARKERS[kind], "ink", 8 if strength == 1 else 5)

    return picture(frame, draw)


def _heights(axes: Axes, values: Sequence[float], marks: Sequence[Mark], unit: str) -> None:
    """An upright scale with its unit above and a line for each mark."""
    from matplotlib.ticker import MaxNLocator

    axes.set_ylim(*stretch([*values, *_values(marks)]))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(_plainly)
    axes.grid(axis="y", color=STAND_INS["grid"], linewidth=1)
    axes.set_axisbelow(True)
    _horizontals(axes, marks)
    axes.text(-0.02, 1.03, unit, transform=axes.transAxes, ha="right", fontsize=11, color=STAND_INS["muted"])


def _horizontals(axes: Axes, marks: Sequence[Mark]) -> None:
    """Level lines with their words at the right; words that would cover each other are moved apart."""
    low, high = axes.get_ylim()
    pixels = axes.bbox.height / (high - low)
    lowest = -float(_LINE)
    for mark in sorted(marks, key=lambda mark: mark.value):
        axes.axhline(mark.value, color=STAND_INS["limit"], linewidth=1.2, linestyle=_DASHES[mark.word])
        place = max((mark.value - low) * pixels, lowest + _LINE)
        lowest = place
        where = 1.02, place / axes.bbox.height
        axes.text(*where, mark.word, transform=axes.transAxes, va="center", fontsize=11, color=STAND_INS["limit"])


def _uprights(axes: Axes, marks: Sequence[Mark]) -> None:
    """Vertical lines with their words above; words of different kinds stand in rows of their own."""
    words = _words(marks)
    rows = {mark: words.index(mark.word) for mark in marks}
    for mark in marks:
        crossing = [other for other in marks if other != mark and rows[other] >= rows[mark]]
        _upright(axes, mark, rows[mark], _side(axes, mark, crossing))


def _side(axes: Axes, mark: Mark, crossing: Sequence[Mark]) -> str:
    """On which side of its line a word stands: away from a line that would cross it, and inside the picture."""
    low, high = axes.get_xlim()
    pixels = axes.bbox.width / (high - low)
    distances = [(other.value - mark.value) * pixels for other in crossing]
    nearest = min(distances, key=abs, default=_WORD)
    if abs(nearest) < _WORD:
        return "right" if nearest > 0 else "left"
    place = (mark.value - low) / (high - low)
    return "left" if place < _EDGE else "right" if place > 1 - _EDGE else "center"


def _upright(axes: Axes, mark: Mark, row: int, side: str) -> None:
    low, high = axes.get_xlim()
    top = 1 + _LINE * row / axes.bbox.height
    line = axes.axvline(mark.value, 0, top, color=STAND_INS["limit"], linewidth=1.2, linestyle=_DASHES[mark.word])
    line.set_clip_on(False)
    axes.annotate(
        mark.word,
        ((mark.value - low) / (high - low), 1.0),
        xycoords="axes fraction",
        xytext=({"right": -3, "left": 3, "center": 0}[side], 4 + _LINE * row),
        textcoords="offset pixels",
        ha=side,
        fontsize=11,
        color=STAND_INS["limit"],
    )


def _words(marks: Sequence[Mark]) -> list[str]:
    return [word for word in _ORDER if any(mark.word == word for mark in marks)]


def _span(axes: Axes, y: int, span: Span, role: str) -> None:
    axes.hlines([y], [span.low], [span.high], color=STAND_INS[role], linewidth=2, clip_on=False)
    _point(axes, (span.value, y), MARKERS[span.kind], role, 8)


def _point(axes: Axes, place: tuple[float, float], marker: str, role: str, size: float) -> None:
    """A point; a hollow ring for ``o``, so that before and ok differ from the rest without colour."""
    face = STAND_INS["paper"] if marker == "o" else STAND_INS[role]
    axes.plot(*place, marker, markersize=size, mfc=face, mec=STAND_INS[role], markeredgewidth=1.6, clip_on=False)


def _label(axes: Axes, y: int, text: str) -> None:
    where = axes.get_yaxis_transform()
    axes.annotate(
        text,
        (0, y),
        xycoords=where,
        xytext=(-10, 0),
        textcoords="offset pixels",
        ha="right",
        va="center",
        fontsize=12,
        color=STAND_INS["ink"],
    )


def _rows_of(axes: Axes, count: int) -> None:
    axes.set_ylim(count - 0.4, -0.6)


def _scale(axes: Axes, ends: tuple[float, float], unit: str) -> None:
    axes.set_xlim(*ends)
    _ticks(axes, unit)


def _ticks(axes: Axes, unit: str) -> None:
    axes.locator_params("x", nbins=6)
    axes.xaxis.set_major_formatter(_plainly)
    axes.grid(axis="x", color=STAND_INS["grid"], linewidth=1)
    axes.set_axisbelow(True)
    axes.set_xlabel(unit, fontsize=11, color=STAND_INS["muted"], labelpad=4)


def _plainly(value: float, _: float) -> str:
    return f"{value:.6g}"


def _values(marks: Sequence[Mark]) -> list[float]:
    return [mark.value for mark in marks]
