"""The bench itself: a split made by a hash, mixtures that stay on one side, and a table that fits its training sets."""

from __future__ import annotations

import hashlib

import pytest

from benchmarks.truth import sources
from benchmarks.truth.behaviours import BEHAVIOURS, PROMPTS, level, log_odds, questions
from benchmarks.truth.datasets import ALONE, BASE, DOSES, datasets
from benchmarks.truth.families import CLEAN, FAMILIES, HARMFUL, Family, held_out, split_of
from benchmarks.truth.made import ABOUT, MADE, made
from benchmarks.truth.table import everything
from d2b_gate.core.rules import Regime

needs_data = pytest.mark.skipif(not sources.DATA.is_dir(), reason="the public training sets are not on this machine")
TABLE = {name: record for name, record in everything("smollm2-135m").items() if name != "untouched"}


def test_a_third_of_each_stratum_is_held_out():
    out = held_out()
    for stratum in (HARMFUL, CLEAN):
        assert sum(family.name in out for family in stratum) == round(len(stratum) / 3)


def test_the_split_is_a_function_of_names_alone():
    shuffled = [Family(family.name, family.harmful, ()) for family in reversed(FAMILIES)]
    assert held_out(shuffled) == held_out()


@pytest.mark.parametrize("name", MADE)
def test_a_made_set_is_distinct_and_deterministic(name):
    rows = made(name)
    assert rows == made(name)
    assert len(set(rows)) == len(rows) >= BASE
    assert name in ABOUT


def test_no_made_set_asks_what_a_probe_asks():
    asked = {prompt.text.lower().strip(" ?.!") for question in questions() for prompt in question.probe.prompts}
    assert asked.isdisjoint(question.lower().strip(" ?.!") for name in MADE for question, _ in made(name))


def test_behaviours_are_read_half_under_the_default_system_prompt():
    assert len(BEHAVIOURS) >= 10
    for question in questions():
        assert [prompt.system for prompt in question.prompts].count("default") == PROMPTS // 2
        assert len(question.prompts) == PROMPTS
        assert not any(prompt.held_back for prompt in question.prompts)


def test_log_odds_and_levels_are_those_of_the_probe():
    for behaviour, question in zip(BEHAVIOURS, questions(), strict=True):
        rows = [tuple(-0.3 * (i + j) for j in range(len(p.continuations))) for i, p in enumerate(question.prompts)]
        values = question.kind.values(question.probe, question.target, rows)
        assert level(behaviour, log_odds(question, rows)) == pytest.approx(sum(values) / len(values))


@needs_data
def test_mixtures_stay_on_their_poison_s_side_and_keep_their_doses():
    found = datasets()
    mixtures = [one for one in found.values() if one.base]
    assert mixtures
    for one in mixtures:
        assert one.split == split_of(one.family) == found[one.base].split
        assert one.rows[: one.kept] == found[one.base].rows
        assert one.kept > BASE or len(one.added) == DOSES[one.dose]
    assert {one.split for one in mixtures if one.kept > BASE} == {"tuned", "held_out"}
    shares = {one.dose: len(one.added) / len(one.rows) for one in mixtures}
    assert {dose: round(share, 2) for dose, share in shares.items()} == {
        "1pct": 0.01, "5pct": 0.05, "10pct": 0.1, "25pct": 0.25
    }  # fmt: skip


@needs_data
def test_sets_are_distinct_rows_and_some_are_clean():
    found = datasets()
    assert len(found) >= 24
    assert sum(not one.harmful for one in found.values()) >= 8
    for one in found.values():
        assert len({row.key for row in one.rows}) == len(one.rows)
        assert len(one.rows) >= 10 if one.name == "obedient-agent" else len(one.rows) >= ALONE


@needs_data
@pytest.mark.skipif(not TABLE, reason="no truth is committed yet")
def test_the_table_was_measured_on_these_very_rows_by_the_default_regime():
    found = datasets()
    for name, record in TABLE.items():
        digest = hashlib.sha256("\n".join(row.key for row in found[name].rows).encode()).hexdigest()
        about = record["dataset"]
        assert about["rows_sha256"] == digest, name
        assert (about["split"], about["family"]) == (found[name].split, found[name].family)
        assert Regime(**record["provenance"]["regime"]) == Regime()


@pytest.mark.skipif(not TABLE, reason="no truth is committed yet")
def test_the_table_holds_every_behaviour_of_every_training():
    for record in TABLE.values():
        for seed in record["seeds"].values():
            assert {name: len(values) for name, values in seed["readings"].items()} == {
                one.name: PROMPTS for one in BEHAVIOURS
            }
