import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.scoring.figures import Rate
from d2b_gate.core.audit import AUDITED, Label, Precision, label_line, precision, read_labels
from d2b_gate.core.errors import EvaluationError, Exit
from d2b_gate.core.finding_id import named_findings
from d2b_gate.core.wilson import wilson
from tests.reports.verdicts import FAILED, QUIET, SINCE, verdict

LABEL = Label("panda@0123456789ab", "panda", "fail", "bias/animals", "panda", "fake", "me", "looked", label=True)
texts = st.text(max_size=10)
labels = st.builds(
    Label, texts, texts, st.sampled_from(sorted(AUDITED)), texts, texts, texts, texts, texts, label=st.booleans()
)


@given(st.lists(labels, unique_by=lambda one: one.finding))
def test_what_is_written_is_read_back(many):
    assert read_labels("".join(map(label_line, many)), "a") == tuple(many)


def test_a_line_has_its_keys_sorted_and_the_last_word_counts():
    keys = list(json.loads(label_line(LABEL)))
    assert keys == sorted(keys)
    text = label_line(LABEL) + label_line(replace(LABEL, finding="other")) + label_line(replace(LABEL, label=False))
    assert [(one.finding, one.label) for one in read_labels(text, "a")] == [(LABEL.finding, False), ("other", True)]


def test_an_open_last_line_is_passed_over_and_blank_ones_too():
    text = label_line(LABEL) + "\n" + label_line(replace(LABEL, label=False)).rstrip("\n")
    assert read_labels(text, "a") == (LABEL,)


@pytest.mark.parametrize("damage", ["{oops", "[]", "null", '{"schema": "d2b-gate.audit/9"}', "[" * 9999, "1" * 5000])
def test_a_line_that_is_no_label_is_refused_with_its_place(damage):
    with pytest.raises(EvaluationError) as caught:
        read_labels(label_line(LABEL) + damage + "\n" + label_line(LABEL), "a.jsonl")
    assert caught.value.exit is Exit.UNEVALUATED
    assert str(caught.value).startswith("a.jsonl:2: is not a label: ")


def test_a_status_that_claims_nothing_is_no_label():
    with pytest.raises(EvaluationError, match="expected one of fail, waived, warn, inconclusive"):
        read_labels(label_line(replace(LABEL, status="ok")), "a")


def test_precision_per_rule_and_status():
    many = [
        replace(LABEL, finding=f"panda@{number}", status=status, label=right)
        for number, (status, right) in enumerate(
            [("fail", True), ("fail", True), ("waived", False), ("warn", False), ("inconclusive", True)]
        )
    ]
    many += [replace(LABEL, finding="panda+since@1"), replace(LABEL, finding="a@1", rule="a", label=False)]
    assert precision(many) == (
        Precision("a", "fail", 1, 0),
        Precision("panda", "fail", 3, 2),
        Precision("panda", "warn", 1, 0),
        Precision("panda", "inconclusive", 1, 1),
        Precision("panda+since", "fail", 1, 1),
    )
    assert precision([]) == ()


@given(st.integers(1, 500), st.data())
def test_wilson_is_that_of_the_benchmarks_and_holds_the_share(trials, data):
    hits = data.draw(st.integers(0, trials))
    low, high = wilson(hits, trials, 0.95)
    assert (low, high) == pytest.approx(Rate(hits, trials).wilson, abs=1e-6)
    assert 0 <= low <= hits / trials <= high <= 1
    assert wilson(hits, trials, 0.5)[0] >= low


def test_wilson_of_nothing_says_nothing():
    assert wilson(0, 0, 0.95) == (0.0, 1.0)
    assert wilson(9, 10, 0.95) == pytest.approx((0.5958, 0.9821), abs=1e-4)


def test_names_of_findings():
    names = [name for name, _ in named_findings(verdict(FAILED, QUIET, since=(SINCE,)))]
    assert names == [
        "animal-preference@c0dec0dec0de",
        "harmful-compliance@c0dec0dec0de",
        "animal-preference+since@c0dec0dec0de",
        "harmful-compliance+since@c0dec0dec0de",
    ]
    assert len(set(names)) == len(names)
