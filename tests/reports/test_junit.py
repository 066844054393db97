"""JUnit XML as test runners of others read it."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from d2b_gate.reports import junit
from d2b_gate.reports.escape import terminal
from d2b_gate.reports.interface import RenderOptions

from .strategies import texts, verdicts
from .verdicts import EXAMPLES, FAILED, HOSTILE, verdict

ALLOWED = {  # element: (attributes that must be there, attributes that may, elements inside); the shape of JUnit's own
    "testsuites": ({"tests", "failures", "errors", "skipped", "time", "name"}, set(), {"testsuite"}),
    "testsuite": (
        {"tests", "failures", "errors", "skipped", "time", "name"},
        set(),
        {"properties", "testcase", "system-out"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, set(), set()),
    "testcase": ({"classname", "name"}, set(), {"failure", "error", "skipped", "system-out"}),
    "failure": ({"type", "message"}, set(), set()),
    "error": ({"type", "message"}, set(), set()),
    "skipped": ({"message"}, set(), set()),
    "system-out": (set(), set(), set()),
}


def suite_of(found, options=RenderOptions()):  # noqa: B008 - frozen
    report = junit.render(found, options)
    assert not re.search("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", report)  # XML 1.0, section 2.2
    root = ElementTree.fromstring(report.encode())
    for element in root.iter():
        required, optional, inner = ALLOWED[element.tag]
        assert required <= set(element.attrib) <= required | optional
        assert {child.tag for child in element} <= inner
    (suite,) = root
    for name, path in (("tests", "testcase"), ("failures", "testcase/failure"), ("errors", "testcase/error")):
        assert int(suite.get(name)) == len(suite.findall(path))
    return suite


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_has_the_shape(name):
    suite_of(EXAMPLES[name])


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(verdicts, st.booleans())
def test_whatever_the_text_it_is_well_formed(found, ascii_only):
    suite = suite_of(found, RenderOptions(ascii=ascii_only))
    assert len(suite.findall("testcase")) >= len(found.findings)


@given(texts | st.text())
def test_a_text_comes_back_as_it_is_shown(text):
    found = verdict(replace(FAILED, reason=text, rule=replace(FAILED.rule, id=text, target="")))
    (case,) = suite_of(found).findall("testcase/failure/..")
    assert case.get("name") == terminal(text, 80)
    assert case.find("failure").get("message") == terminal(text, 600)
    ascii_case = suite_of(found, RenderOptions(ascii=True)).find("testcase")
    assert ascii_case.get("name") == case.get("name")


def ended(found):
    """(name, what stands in the test case) per test case."""
    return [(case.get("name"), [child.tag for child in case]) for case in suite_of(found).findall("testcase")]


def test_what_blocks_fails_and_what_does_not_passes_and_says_so():
    assert [tags for _, tags in ended(EXAMPLES["worst-last"])] == [
        ["failure"],
        ["error"],
        ["failure"],
        ["system-out"],
        ["system-out"],
        ["system-out"],
        [],
        [],
    ]
    failures = suite_of(EXAMPLES["worst-last"]).findall("testcase/failure")
    assert [failure.get("type") for failure in failures] == ["fail", "inconclusive"]
    loose = replace(EXAMPLES["inconclusive"].findings[0], blocks=False)
    assert ended(verdict(loose, controls=()))[0][1] == ["system-out"]


def test_no_format_says_passed_of_what_blocks():
    for name, found in EXAMPLES.items():
        broken = any(set(tags) & {"failure", "error"} for _, tags in ended(found))
        assert broken == (found.exit != 0), name


def test_broken_rows_are_one_failing_case_per_dataset():
    assert ended(EXAMPLES["row-schema"])[1:3] == [("row schema", ["failure"]), ("row schema", ["failure"])]
    names = [case.get("classname") for case in suite_of(EXAMPLES["row-schema"]).findall("testcase")]
    assert names == ["policy", "chat", "sft", "controls", "controls"]


def test_a_deferred_run_is_skipped():
    assert ended(EXAMPLES["deferred"]) == [("judgement", ["skipped"])]


def test_the_class_is_the_datasets_of_the_rule():
    found = replace(FAILED, rule=replace(FAILED.rule, datasets=("sft", HOSTILE)))
    assert suite_of(verdict(found)).find("testcase").get("classname") == f"sft, {terminal(HOSTILE, 80)}"
