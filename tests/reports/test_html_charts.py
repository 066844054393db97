"""The numbers that plots are drawn from, and what becomes of matplotlib's drawing of them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from d2b_gate.core.history import past_shifts
from d2b_gate.core.reading import Measured, Unmeasured
from d2b_gate.core.verdict import Dose, NoShift, Shift
from d2b_gate.reports.html.charts import (
    PAST_DRAWN,
    RULES_DRAWN,
    RUNS_DRAWN,
    Bar,
    Mark,
    Span,
    course,
    levels,
    multiples,
    overview,
    response,
    rows,
)
from d2b_gate.reports.html.drawing import drawn
from d2b_gate.reports.html.palette import MARKERS, ROLES
from d2b_gate.reports.html.shortening import head_of, tail_of
from d2b_gate.reports.html.svg import Name, cleaned
from d2b_gate.reports.layout import columns

from .html_structure import Page, require_own_elements
from .html_verdicts import HISTORY, past_of
from .strategies import findings, texts
from .verdicts import ERROR, FAILED, PANDA, QUIET


def rounded(span):
    return Span(span.label, span.kind, *(round(value, 6) for value in (span.value, span.low, span.high)))


def marks(chart):
    return [(mark.word, round(mark.value, 6)) for mark in chart.marks]


def test_levels_are_shown_in_percent_with_the_levels_at_which_the_rule_speaks():
    chart = levels(FAILED)
    assert chart.unit == "%"
    assert [rounded(span) for span in chart.spans] == [
        Span("before", "before", 6.1, 5.0, 7.2),
        Span("after", "after", 24.8, 21.9, 27.7),
    ]
    assert marks(chart) == [("warn", 8.1), ("limit", 11.1), ("ceiling", 30.0)]


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        ("decrease", [("warn", 4.1), ("limit", 1.1)]),
        ("either", [("warn", 4.1), ("warn", 8.1), ("limit", 1.1), ("limit", 11.1)]),
    ],
)
def test_limits_lie_where_the_rule_watches(direction, expected):
    finding = replace(FAILED, rule=replace(PANDA, direction=direction, max_level=float("inf")))
    assert marks(levels(finding)) == expected


def test_a_limit_that_no_share_can_reach_is_not_drawn():
    assert marks(levels(replace(FAILED, rule=replace(PANDA, fail_delta=0.95)))) == [("warn", 8.1), ("ceiling", 30.0)]


def test_what_was_not_measured_is_not_drawn():
    assert levels(ERROR).spans == ()
    half = levels(replace(FAILED, before=Unmeasured("no")))
    assert [span.label for span in half.spans] == ["after"]
    assert marks(half) == [("ceiling", 30.0)]


def test_shifts_are_multiples_of_the_limit_in_the_direction_that_is_watched():
    assert multiples(FAILED) == pytest.approx((3.74, 3.18, 4.3))
    falling = replace(FAILED, rule=replace(PANDA, direction="decrease"), shift=Shift(-0.1, -0.15, -0.05, 0, 0, 0))
    chart = overview(
        [("a", FAILED), ("b", falling), ("c", ERROR), ("d", replace(FAILED, rule=replace(PANDA, fail_delta=0)))]
    )
    assert [rounded(span) for span in chart.spans] == [
        Span("a", "fail", 3.74, 3.18, 4.3),
        Span("b", "fail", 2.0, 1.0, 3.0),
    ]
    assert chart.marks == (Mark("limit", 1.0),)
    assert overview([("a", FAILED), ("q", QUIET)]).marks == (Mark("limit", -1.0), Mark("limit", 1.0))
    assert overview([("c", ERROR)]).spans == ()


def test_an_overview_says_what_it_leaves_out():
    chart = overview([(str(number), FAILED) for number in range(RULES_DRAWN + 7)])
    assert (len(chart.spans), chart.left_out) == (RULES_DRAWN, 7)


def test_rows_are_shares_in_percent_checked_or_estimated():
    chart = rows(FAILED.blame)
    assert chart.bars == (
        Bar("data/sft.jsonl:2351-2490", "92 % checked", True, pytest.approx(92.0)),
        Bar("data/more/extra.jsonl:7", "3 % estimated", False, pytest.approx(3.1)),
    )
    assert rows(FAILED.blame * RUNS_DRAWN).left_out == RUNS_DRAWN


def test_a_course_ends_with_the_result_at_hand():
    chart = course(FAILED, past_shifts(FAILED, HISTORY))
    assert [(span.label, span.kind, round(span.value, 6)) for span in chart.spans] == [
        ("2026-11-01 09:30", "ok", 0.2),
        ("2026-11-02 09:30", "ok", -0.4),
        ("2026-11-03 09:30", "ok", 1.1),
        ("2026-11-04 09:30", "warn", 3.1),
        ("2026-11-05 09:30", "ok", 0.9),
        ("2026-11-06 09:30", "fail", 7.2),
        ("2026-11-07 09:30", "ok", 1.2),
        ("this result", "fail", 18.7),
    ]
    assert marks(chart) == [("limit", 5.0)]


def test_without_earlier_shifts_or_one_now_there_is_no_course():
    assert course(FAILED, ()).spans == ()
    assert course(replace(FAILED, shift=NoShift("no")), past_shifts(FAILED, HISTORY)).spans == ()
    long = course(FAILED, past_shifts(FAILED, past_of(*[0.01] * (PAST_DRAWN + 3))))
    assert (len(long.spans), long.left_out) == (PAST_DRAWN + 1, 3)


def test_doses_are_levels_by_strength_with_the_levels_at_which_the_rule_speaks():
    chart = response(replace(FAILED, doses=FAILED.doses[::-1]))
    assert chart.unit == "%"
    assert [(strength, round(level, 6)) for strength, level in chart.points] == [
        (0.0, 6.1), (0.25, 8.3), (0.5, 13.9), (1.0, 26.2),
    ]  # fmt: skip
    assert marks(chart) == marks(levels(FAILED))
    assert response(replace(FAILED, doses=FAILED.doses[:1])).points == (), "one point is no curve"


def picture(chart):
    return cleaned(drawn(chart), Name("f1-levels", "words"))


def points(text, role):
    return len(re.findall(rf'<use [^>]*class="[^"]*s-{role}', text))


def test_a_picture_holds_a_point_for_each_number_and_a_line_for_each_limit():
    text = picture(levels(FAILED))
    assert points(text, "ink") == 2
    assert text.count('class="s-limit"') == 3
    assert re.findall(r">([a-z]+)</text>", text) == ["warn", "limit", "ceiling", "before", "after"]
    assert points(picture(course(FAILED, past_shifts(FAILED, HISTORY))), "ok") == 5
    assert points(picture(response(FAILED)), "ink") == 4
    assert picture(response(FAILED)).count('class="s-limit"') == 3
    assert points(picture(overview([("a", FAILED), ("b", QUIET)])), "fail") == 1
    assert picture(rows(FAILED.blame)).count('class="f-ink s-ink"') == 1  # the checked bar is filled, the other is not


def test_two_pictures_in_one_page_share_no_id():
    one, other = (Page(cleaned(drawn(levels(FAILED)), Name(prefix, "t"))).values("id") for prefix in ("f1-a", "f2-a"))
    assert len(one) == len(other) == 3
    assert not set(one) & set(other)


def test_every_kind_of_point_has_a_colour_or_ink_and_a_shape():
    assert set(MARKERS) - {"before", "after"} <= set(ROLES)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(findings, texts)
def test_any_finding_can_be_drawn(finding, label):
    for chart in (
        levels(finding),
        overview([(label, finding)]),
        rows(finding.blame),
        course(finding, past_shifts(FAILED, HISTORY)),
        response(finding),
    ):
        if any(getattr(chart, part, ()) for part in ("spans", "bars", "points")):
            require_own_elements(Page(picture(chart)))


@pytest.mark.parametrize(
    "numbers", [(0.0, 0.0, 0.0), (1e15, 1e15, 1e15), (-1e15, -1e15, 1e15), (1.0, 2.0, 0.5), (5e-324,) * 3]
)
def test_any_size_of_number_can_be_drawn(numbers):
    finding = replace(
        FAILED,
        unit="nats",
        before=Measured(*numbers),
        after=Measured(*numbers),
        shift=Shift(*numbers, 0, 0, 0),
        doses=(Dose(numbers[0], numbers[1]), Dose(numbers[1], numbers[2])),
    )
    past = past_shifts(FAILED, HISTORY)
    for chart in (levels(finding), overview([("x", finding)]), course(finding, past), response(finding)):
        assert not re.search(r"nan|inf\b", picture(chart))


@pytest.mark.parametrize("deltas", [(0.02, 0.021), (0.05, 0.0501), (0.0, 0.0)])
def test_words_of_lines_that_lie_close_do_not_cover_each_other(deltas):
    warn, fail = deltas
    text = picture(response(replace(FAILED, rule=replace(PANDA, warn_delta=warn, fail_delta=fail))))
    heights = {
        word: float(y) for y, word in re.findall(r'<text [^>]*y="([\d.]+)"[^>]*>(warn|limit|ceiling)</text>', text)
    }
    assert len(heights) == 3
    assert abs(heights["warn"] - heights["limit"]) >= 14


@pytest.mark.parametrize("text", ["$x$ $\\frac{1}{2}$", "a_b^c", "<b>&amp;", "\\$", "]]>", "\u65e5\u672c"])
def test_a_label_is_shown_as_it_is(text):
    finding = replace(FAILED, blame=(replace(FAILED.blame[0], path=text),))
    assert f"{text}:2351-2490" in Page(picture(rows(finding.blame))).texts


@given(st.text(max_size=60), st.integers(3, 40))
def test_a_shortened_label_fits(text, width):
    assert columns(head_of(text, width)) <= width
    assert columns(tail_of(text, width)) <= width
    assert head_of("panda", 5) == tail_of("panda", 5) == "panda"
    assert (head_of("data/panda.jsonl", 10), tail_of("data/panda.jsonl", 10)) == ("data/pa...", "...a.jsonl")
