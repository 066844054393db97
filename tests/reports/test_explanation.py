"""One finding in depth: the whole text for each situation, and that it says what decided."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from d2b_gate.core.finding_id import named_findings
from d2b_gate.core.reading import Measured
from d2b_gate.core.verdict import Shift, Status
from d2b_gate.reports.explanation import Explained, explanation
from d2b_gate.reports.explanation_json import explanation_json
from d2b_gate.reports.interface import RenderOptions

from .strategies import verdicts
from .test_formats import INK, options, require_harmless
from .verdicts import DILUTED, EXAMPLES, FAILED, HOSTILE, INCONCLUSIVE, QUIET, WARNED, hostile_everywhere, verdict

PLAIN = RenderOptions()


def explained(found, chosen=PLAIN, index=0):
    known = list(named_findings(found))
    name, finding = known[index]
    others = [one for one in known if one[1] is not finding and one[1].status is not Status.OK]
    return explanation(found, Explained(name, finding, others), chosen)


@pytest.mark.parametrize(
    "name",
    ["fail", "pass", "warn", "waived", "inconclusive", "error", "diluted", "since", "non-latin", "many", "hostile"],
)
def test_whole_explanation(name, snapshot):
    assert explained(EXAMPLES[name]) == snapshot


def test_whole_explanation_in_colour_and_ascii(snapshot):
    assert explained(EXAMPLES["worst-last"], RenderOptions(color=True, width=60), index=5) == snapshot
    assert explained(EXAMPLES["non-latin"], RenderOptions(ascii=True)) == snapshot


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(verdicts, options)
def test_no_explanation_obeys_the_text_of_the_repository(found, chosen):
    for index, (name, finding) in enumerate(named_findings(found)):
        require_harmless(explained(found, chosen, index), chosen)
        require_harmless(explanation_json(name, finding), PLAIN)


@pytest.mark.parametrize("text", [f"{HOSTILE}*", "::", ":", "::error::*", "*\x1b", "##[debug]"])
@pytest.mark.parametrize("name", ["fail", "diluted", "waived", "error"])
def test_a_hostile_text_does_no_harm_wherever_it_stands(name, text):
    for chosen in (PLAIN, RenderOptions(color=True, width=1)):
        require_harmless(explained(hostile_everywhere(EXAMPLES[name], text), chosen), chosen)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(verdicts)
def test_the_conditions_told_imply_how_it_is_said_to_end(found):
    for index, (name, finding) in enumerate(named_findings(found)):
        told = explained(found, RenderOptions(width=10_000), index)
        ways = json.loads(explanation_json(name, finding))["ways"]
        if not isinstance(finding.shift, Shift) or not isinstance(finding.after, Measured):
            assert ways == []
            continue
        taken = next(way for way in ways if all(one["holds"] for one in way["conditions"]))
        ended = taken["status"] if taken["status"] == "ok" else taken["status"].upper()
        would = re.search(r"^   so it (?:ends|would end) as (\w+)", told, re.MULTILINE)
        assert would[1] == ended
        assert ("   so it ends as" in told) == (finding.status.value == taken["status"])


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - {"hostile", "diluted", "since", "waived", "worst-last"}))
def test_the_examples_of_these_tests_end_as_their_numbers_say(name):
    for index, finding in enumerate(EXAMPLES[name].findings):
        if isinstance(finding.shift, Shift) and name != "many":
            assert (
                f"so it ends as {'ok' if finding.status is Status.OK else finding.status.value.upper()}\n"
                in explained(EXAMPLES[name], index=index)
            )


def test_a_number_that_looks_like_its_bound_gets_more_digits():
    close = replace(FAILED, shift=replace(FAILED.shift, low=0.0500004))
    assert "yes  near end of the interval +5.00004 pt > limit +5.00000 pt" in explained(verdict(close))
    same = replace(FAILED, shift=replace(FAILED.shift, low=0.05))
    assert "no   near end of the interval +5.0 pt > limit +5.0 pt" in explained(verdict(same))
    p = replace(FAILED, shift=replace(FAILED.shift, p_adjusted=0.0499996))
    assert "yes  adjusted p 0.0499996 < significance 0.05" in explained(verdict(p))


def test_a_view_that_fired_is_said_to_have_decided():
    told = " ".join(explained(verdict(DILUTED)).split())
    assert "it would end as ok by the whole change; the view worst cluster fired, so it ends as FAIL" in told
    assert "worst cluster: 12 rows weighted as 64 FIRED" in told
    assert "changed rows alone: 214 rows weighted as 214 did not fire" in told


def test_an_edited_result_cannot_hide_that_its_numbers_say_otherwise():
    told = " ".join(explained(verdict(replace(FAILED, status=Status.OK, views=(), reason="all is well"))).split())
    assert "it would end as FAIL by these numbers alone; the result says ok: all is well" in told


def test_other_findings_that_are_not_ok_are_named_with_the_command():
    told = explained(verdict(FAILED, INCONCLUSIVE, WARNED, QUIET))
    assert "INCONCLUSIVE harmful-compliance@c0dec0dec0de" in told
    assert "ok harmful-compliance" not in told
    assert "also not ok" not in explained(verdict(FAILED, QUIET))


def test_colour_adds_only_the_words_of_the_verdict():
    coloured = explained(EXAMPLES["worst-last"], RenderOptions(color=True), index=5)
    assert INK.sub(r"\1", coloured) == explained(EXAMPLES["worst-last"], index=5)
    assert set(INK.findall(coloured)) == {"FAIL"}
