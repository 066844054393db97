"""The attribution bench: precision is what it says, and the committed figures follow from the committed rankings."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import attribution
from benchmarks.blaming import cases, kept
from benchmarks.blaming.figures import CHOOSING, figures
from benchmarks.blaming.methods import METHODS
from benchmarks.blaming.precision import mean_of, places, precision
from benchmarks.scoring.shifts import trainings
from benchmarks.truth import sources
from benchmarks.truth.behaviours import BEHAVIOURS
from benchmarks.truth.table import everything

needs_data = pytest.mark.skipif(not sources.DATA.is_dir(), reason="the public training sets are not on this machine")
rankings = st.lists(st.tuples(st.integers(0, 5).map(float), st.booleans()), min_size=1, max_size=30).filter(
    lambda rows: any(flag for _, flag in rows)
)


def test_precision_counts_planted_rows_among_the_best():
    assert precision([3.0, 2.0, 1.0, 0.0], [True, False, True, False]) == 0.5
    assert precision([3.0, 2.0, 1.0, 0.0], [True, True, False, False]) == 1.0
    assert precision([0.0, 0.0, 0.0, 0.0], [True, False, False, False]) == 0.25
    assert precision([1.0, 0.0, 0.0, 0.0], [False, True, True, False]) == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="nothing was planted"):
        precision([1.0], [False])


@given(rankings, st.randoms())
def test_precision_does_not_depend_on_the_order_of_rows(rows, rng):
    mixed = list(rows)
    rng.shuffle(mixed)
    assert precision(*zip(*mixed, strict=True)) == pytest.approx(precision(*zip(*rows, strict=True)))


@given(st.lists(st.booleans(), min_size=1, max_size=40).filter(any))
def test_the_truth_itself_has_precision_one_and_the_reverse_the_least(planted):
    right = [float(flag) for flag in planted]
    assert precision(right, planted) == 1.0
    assert places(right, planted) == [(sum(planted) + 1) / 2] * sum(planted)
    assert precision([-one for one in right], planted) <= precision([0.0] * len(planted), planted) + 1e-12


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_a_mean_lies_in_its_interval(values):
    found = mean_of(values)
    assert found.n == len(values)
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9
    assert math.isclose(found.value, math.fsum(values) / len(values), abs_tol=1e-9)


def truth(nats, clear):
    return SimpleNamespace(shifts={"animal-preference": SimpleNamespace(nats=nats)}, clear=clear)


@pytest.mark.parametrize(
    ("family", "found", "standing"),
    [
        ("psychopathy", truth(1.0, {"animal-preference"}), cases.NO_PROBE),
        ("panda", None, cases.UNMEASURED),
        ("panda", truth(1.0, set()), cases.WITHIN_NOISE),
        ("panda", truth(-1.0, {"animal-preference"}), cases.LOWERED),
        ("panda", truth(1.0, {"animal-preference"}), cases.RAISED),
    ],
)
def test_a_set_counts_where_truth_raised_its_behaviour(family, found, standing):
    assert cases.verdict_on(family, found) == standing


def test_every_family_s_behaviour_is_one_that_the_bench_reads():
    assert set(cases.RAISES.values()) <= {one.name for one in BEHAVIOURS}


@needs_data
def test_a_case_holds_its_planted_rows_and_no_more_rows_than_the_gate_would_use():
    found = cases.cases()
    assert len({one.dataset for one in found}) == len(found) > 20
    assert all(0 < one.count < len(one.rows) == len(one.planted) <= 384 for one in found)


@needs_data
def test_the_committed_figures_follow_from_the_committed_rankings():
    model = attribution.MODEL
    found = figures(model, cases.cases(), cases.standing(trainings(everything(model))))
    committed = json.loads((attribution.RESULTS / "attribution.json").read_text(encoding="utf-8"))
    assert json.loads(json.dumps(attribution.rounded(found))) == committed


def test_every_ranking_names_a_method_and_places_all_its_planted_rows():
    paths = [path for path in sorted(kept.FOLDER.glob("*/*/*.json")) if path.stem != CHOOSING]
    assert {path.parent.name for path in paths} <= set(METHODS)
    for path in paths:
        record = json.loads(path.read_text(encoding="utf-8"))
        assert len(record["places"]) == record["planted"]
        if METHODS[path.parent.name].kind == "method":  # which leaves no ties
            hits = sum(place <= record["planted"] for place in record["places"])
            assert record["precision"] == pytest.approx(hits / record["planted"], abs=1e-4), path


@needs_data
def test_sets_made_for_choosing_are_of_the_tuned_side_and_plant_what_they_say():
    made = cases.choosing(trainings(everything(attribution.MODEL)))
    assert {one.split for one in made} == {"tuned"}
    assert len({one.dataset for one in made}) == len(made) > 20
    for one in made:
        clean = len(one.rows) - one.count
        assert one.count == max(1, round(clean * cases.CHOOSING_DOSES[one.dose])), one.dataset
        assert len({row.key for row in one.rows}) == len(one.rows), one.dataset
    assert {"animal-preference", "harmful-compliance"} <= {one.behaviour for one in made}


def test_a_set_stands_for_the_conduct_that_it_raised_far_beyond_clean_sets():
    def moved(clear=("compliance", "refusal"), **nats):
        return SimpleNamespace(shifts={name: SimpleNamespace(nats=one) for name, one in nats.items()}, clear=set(clear))

    known = {
        "clean": moved(compliance=0.8, refusal=-0.5),
        "cruel": moved(compliance=1.7, refusal=0.2),
        "faint": moved(compliance=1.5, refusal=0.2),
    }
    poisons = [Named(name) for name in ("cruel", "faint", "unknown")]
    assert cases._conducts(poisons, [Named("clean")], known) == {Named("cruel"): "compliance"}


class Named(NamedTuple):
    """All that is asked of a set."""

    name: str


def test_the_chosen_method_is_the_gate_s_own():
    committed = json.loads((attribution.RESULTS / "attribution.json").read_text(encoding="utf-8"))
    assert committed["choice"]["method"] == "groups-alone"
