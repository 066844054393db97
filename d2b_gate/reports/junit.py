"""JUnit XML for test reports: one test case per rule, per dataset with broken rows, and per control."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement

from d2b_gate.core.verdict import Status
from d2b_gate.reports.describe import NAME, PATH, SENTENCE, control_in_words, name_of, place, worst_first
from d2b_gate.reports.escape import terminal
from d2b_gate.reports.escape_xml import document, visible, with_references
from d2b_gate.reports.findings import sentences
from d2b_gate.reports.numbers import counted
from d2b_gate.reports.problems import Level, level_of

if TYPE_CHECKING:
    from d2b_gate.core.verdict import Control, Finding, RowFinding, Verdict
    from d2b_gate.reports.interface import RenderOptions

_LINE = SENTENCE * 2
_ROWS_SHOWN = 100  # of a dataset; the JSON report has all


def render(verdict: Verdict, options: RenderOptions) -> str:
    """One suite. What makes the run fail is a failure or an error; what only warns passes and says so."""
    suite = Element("testsuite", name="d2b-gate")
    _provenance(suite, verdict)
    for finding in worst_first(verdict.findings):
        _finding(suite, finding, "")
    for since in verdict.since:
        for finding in worst_first(since.findings):
            _finding(suite, finding, " since the baseline")
    _rows(suite, verdict)
    for control in verdict.controls:
        _control(suite, control)
    _deferred(suite, verdict)
    _text(suite, "system-out", [visible(note, _LINE) for note in verdict.notes])
    _count(suite, verdict)
    root = Element("testsuites", suite.attrib)
    root.append(suite)
    text = document(root)
    return with_references(text) if options.ascii else text


def _provenance(suite: Element, verdict: Verdict) -> None:
    provenance = verdict.provenance
    held = SubElement(suite, "properties")
    named = {
        "policy": provenance.policy_path,
        "scope": provenance.scope,
        "model": provenance.model_id,
        "predictor": provenance.predictor,
        "regime": provenance.regime,
        "exit code": str(int(verdict.exit)),
        "fingerprint": verdict.fingerprint,
    }
    for name, text in named.items():
        SubElement(held, "property", name=name, value=visible(text, SENTENCE))


def _finding(suite: Element, finding: Finding, since: str) -> None:
    group = ", ".join(terminal(name, NAME) for name in finding.rule.datasets) or "policy"
    case = _case(suite, group, f"{name_of(finding.rule)}{since}")
    told = [visible(sentence, _LINE) for sentence in sentences(finding)]
    if finding.status is Status.ERROR:
        _text(case, "error", told, type="error", message=visible(finding.reason, SENTENCE))
    elif level_of(finding) is Level.ERROR:
        _text(case, "failure", told, type=finding.status.value, message=visible(finding.reason, SENTENCE))
    else:
        _text(case, "system-out", [finding.status.value, *told])


def _rows(suite: Element, verdict: Verdict) -> None:
    ordered = sorted(verdict.row_findings, key=lambda row: (row.dataset, row.path, row.line))
    for dataset, found in groupby(ordered, key=lambda row: row.dataset):
        rows = list(found)
        case = _case(suite, terminal(dataset, NAME), "row schema")
        told = f"{counted(len(rows), 'row')} against the row schema"
        _text(case, "failure", _broken(rows), type="row-schema", message=told)


def _broken(rows: list[RowFinding]) -> list[str]:
    lines = [
        visible(f"{place(row.path, str(row.line))} {terminal(row.message, SENTENCE)}", PATH + SENTENCE)
        for row in rows[:_ROWS_SHOWN]
    ]
    hidden = len(rows) - len(lines)
    return [*lines, f"and {counted(hidden, 'more row')}"] if hidden else lines


def _control(suite: Element, control: Control) -> None:
    case = _case(suite, "controls", terminal(control.name, NAME))
    if not control.passed:
        _text(case, "error", [visible(control_in_words(control), _LINE)], type="control", message="a control failed")


def _deferred(suite: Element, verdict: Verdict) -> None:
    if verdict.deferred:
        case = _case(suite, "policy", "judgement")
        SubElement(case, "skipped", message=visible(f"deferred: {verdict.deferred}", SENTENCE))


def _case(suite: Element, group: str, name: str) -> Element:
    return SubElement(suite, "testcase", classname=visible(group, SENTENCE), name=visible(name, SENTENCE))


def _text(parent: Element, tag: str, lines: list[str], **attributes: str) -> None:
    if lines or attributes:
        SubElement(parent, tag, attributes).text = "\n".join(lines)


def _count(suite: Element, verdict: Verdict) -> None:
    counted_tags = {"tests": "testcase", "failures": "testcase/failure", "errors": "testcase/error"}
    for name, path in {**counted_tags, "skipped": "testcase/skipped"}.items():
        suite.set(name, str(len(suite.findall(path))))
    suite.set("time", f"{verdict.seconds:.3f}")
