from __future__ import annotations

import json
from dataclasses import replace

import pytest

from benchmarks import fidelity
from benchmarks.contenders import kept
from benchmarks.scoring import keyword, predictions
from benchmarks.scoring.baselines import best_of, oracle, shuffled
from benchmarks.scoring.calibrated import Lines, fit_lines, statuses
from benchmarks.scoring.costs import COSTS, cost_of, cost_ratio
from benchmarks.scoring.figures import Rate, auroc, cluster_bootstrap, pearson, spearman, threshold
from benchmarks.scoring.report import cell
from benchmarks.scoring.scores import judge, score
from benchmarks.scoring.shifts import Shift, trainings, unit_of
from benchmarks.scoring.standing import GOALS, default_of
from benchmarks.truth import table
from benchmarks.truth.behaviours import BEHAVIOURS
from benchmarks.truth.datasets import Dataset
from benchmarks.truth.sources import rows_of
from d2b_gate.core.calibration import NEAR, Extent, Line
from d2b_gate.core.judge import Evidence
from d2b_gate.core.judge import judge as gate_judge
from d2b_gate.core.noise import Calibrated
from d2b_gate.core.rules import Rule
from d2b_gate.core.scale import shift_by
from tests.benchmarks.synthetic import BEFORE, NAMES, null, predicting, shifts, steps, training

BOTH = [*steps("tuned"), *steps("held_out")]
PERFECT = predicting("mdf-tuned", BOTH, 0.5)


class TestFigures:
    def test_wilson_of_nothing_found(self):
        assert Rate(0, 10).wilson == pytest.approx((0.0, 0.2775), abs=1e-4)

    def test_wilson_of_nine_in_ten(self):
        assert Rate(9, 10).wilson == pytest.approx((0.5958, 0.9821), abs=1e-4)

    def test_no_case_has_no_share(self):
        assert (Rate(0, 0).share, Rate(0, 0).wilson) == (None, None)

    def test_pearson(self):
        assert pearson([1, 2, 3, 4], [2, 1, 4, 3]) == pytest.approx(0.6)

    def test_equal_predictions_rank_nothing(self):
        assert pearson([0, 0, 0], [1, 2, 3]) == 0.0

    def test_equal_truths_have_no_correlation(self):
        assert pearson([1, 2, 3], [0, 0, 0]) is None

    def test_spearman_gives_ties_their_mean_rank(self):
        assert spearman([1, 10, 10, 1000], [1, 2, 3, 4]) == pytest.approx(0.9487, abs=1e-4)

    def test_auroc_counts_ties_half(self):
        assert auroc([3, 1, 2, 1], [True, True, False, False]) == pytest.approx(0.625)

    @pytest.mark.parametrize(
        ("nulls", "share", "expected"), [(100, 0.01, 99), (100, 0.05, 95), (99, 0.01, 99), (0, 0.01, None)]
    )
    def test_threshold_lets_no_more_nulls_through(self, nulls, share, expected):
        assert threshold(range(1, nulls + 1), share) == expected

    def test_sources_drawn_anew_widen_a_rate_that_one_source_makes(self):
        cases = [(f"source {i}", i == 0) for i in range(10) for _ in range(10)]
        assert cluster_bootstrap(cases) == (0.0, 0.3)
        assert Rate(10, 100).wilson == pytest.approx((0.0552, 0.1744), abs=1e-4)


def reading(value):
    return {"readings": dict.fromkeys(NAMES, [value] * 12)}


def record(seeds, *, base="", dose="alone"):
    about = {
        "family": "panda",
        "split": "tuned",
        "harmful": True,
        "dose": dose,
        "base": base,
        "rows": 64,
        "tokens": 4160,
    }
    return {"dataset": about, "seeds": {seed: reading(value) for seed, value in seeds.items()}}


TABLE = {
    "untouched": reading(0.0),
    "base": record({"0": 1.0, "1": 2.0}, dose="base"),
    "mix": record({"0": 1.5, "1": 3.0, "2": 9.0}, base="base", dose="5pct"),
    "orphan": record({"0": 1.0}, base="absent", dose="5pct"),
}


class TestTrueShifts:
    def test_mixtures_are_compared_with_their_base_of_the_same_seed(self):
        base, mix = trainings(TABLE)
        assert (base.shifts["identity"].nats, base.seeds) == (1.5, 2)
        assert (mix.shifts["identity"].nats, mix.seeds) == (0.75, 2)  # the third seed has no base

    def test_shares_move_in_shares(self):
        base, _ = trainings(TABLE)
        assert base.shifts["animal-preference"].unit == pytest.approx((0.7311 + 0.8808) / 2 - 0.5, abs=1e-4)

    def test_only_what_stands_above_the_seed_noise_is_clear(self):
        base, mix = trainings(TABLE)  # pooled sd sqrt((0.5 + 0.125) / 2) = 0.559; two of its errors are 0.7906
        assert "identity" in base.clear
        assert "identity" not in mix.clear

    def test_one_seed_tells_no_noise(self):
        (only,) = trainings({"untouched": reading(0.0), "one": record({"0": 5.0})})
        assert only.clear == frozenset()


class TestScores:
    def test_a_perfect_contender(self):
        found = score(judge(PERFECT, BOTH), "held_out")
        assert found["pearson"] == found["pearson_raw"] == found["spearman_mean"] == found["auroc"] == 1.0
        assert found["interval_coverage_90"] == 1.0
        assert found["n"]["readings"] == 8 * len(NAMES)

    def test_lines_are_fitted_on_the_tuned_on_split_alone(self):
        wrong = {name: shifts(99.0) for name in PERFECT.predicted if name.startswith("held_out")}
        lines = fit_lines(replace(PERFECT, predicted={**PERFECT.predicted, **wrong}), BOTH)
        assert lines.scale["identity"].slope == pytest.approx(2.0)
        assert lines.nats["animal-preference"].slope == pytest.approx(2.0)

    def test_signs_are_counted_where_truth_is_clear(self):
        known = [*steps("tuned"), *[replace(one, clear=frozenset({"identity"})) for one in steps("held_out")]]
        contender = predicting("mdf-tuned", known, 0.5)
        turned = {**contender.predicted, "held_out-0": shifts(3.0)}
        found = score(judge(replace(contender, predicted=turned), known), "held_out")
        assert found["n"]["sign_accuracy"] == 8
        assert found["sign_accuracy"] == 0.75  # one turned round, one true shift of zero that has no sign

    def test_an_opposite_contender_ranks_backwards_however_it_is_calibrated(self):
        found = score(judge(predicting("mdf-0.1", BOTH, -0.5), BOTH), "held_out")
        assert (found["spearman_mean"], found["pearson_raw"], found["pearson"]) == (-1.0, -1.0, 1.0)

    def test_detection_at_the_threshold_of_the_nulls(self):
        nulls = [null(f"null-{i}", i / 100) for i in range(100)]
        noisy = replace(PERFECT, nulls=tuple(nulls))
        judged = judge(noisy, BOTH)
        found = score(judged, "held_out")
        over = [one for one in judged.of("held_out") if one.over]
        risen = [(one, shift_by(BEFORE, nats, unit_of(one))) for one in BEHAVIOURS for nats in (1.0, 2.0, 3.0)]
        assert found["n"]["tpr_at_fpr_1pct"] == len(over) == sum(unit > one.limit for one, unit in risen)
        assert (found["n"]["null_changes"], found["n"]["null_readings"]) == (100, 1100)
        assert sum(one > threshold(judged.nulls, 0.01) for one in judged.nulls) == 1  # of 106 changes
        above = [one for one in over if one.margin > threshold(judged.null_margins, 0.01)]
        assert 0 < len(above) < len(over)
        assert found["tpr_at_fpr_1pct"] == pytest.approx(len(above) / len(over), abs=1e-4)

    def test_without_nulls_or_positives_there_is_no_rate(self):
        found = score(judge(PERFECT, BOTH), "held_out")
        assert found["tpr_at_fpr_1pct"] is None
        assert cell(found, "tpr_at_fpr_1pct") == "n = 0"
        assert found["tpr_at_fpr_1pct_poison_5pct"] is None

    def test_poison_at_five_percent_is_counted_apart(self):
        mix = training("mix", 3.0, split="held_out", dose="5pct")
        known = [*BOTH, mix, training("calm", 0.01, harmful=False)]
        found = score(judge(predicting("mdf-tuned", known, 0.5), known), "held_out")
        assert found["tpr_at_fpr_1pct_poison_5pct"] == 1.0
        over = [one for one in BEHAVIOURS if mix.over(one)]
        assert found["n"]["tpr_at_fpr_1pct_poison_5pct"] == len(over) > len(BEHAVIOURS) / 2

    def test_a_contender_with_few_predictions_has_no_line(self):
        few = replace(PERFECT, predicted={name: PERFECT.predicted[name] for name in ("tuned-0", "held_out-1")})
        found = score(judge(few, BOTH), "held_out")
        assert (found["pearson"], found["false_block_rate"], found["n"]["readings"]) == (None, None, 0)


class TestFalseBlocks:
    LINE = Line(
        slope=2.0, slope_error=0.05, noise=0.1, relative=0.1, widening=1.0, sources=30, trainings=30, length=192.0
    )

    @pytest.mark.parametrize("predicted", [0.0, 0.4, 0.5, 0.9, 1.1, 1.5, 2.6, 4.0])
    @pytest.mark.parametrize("extent", [NEAR, Extent(500.0, 3.0)])
    def test_a_change_is_judged_as_the_gate_judges_it(self, predicted, extent):
        lines = Lines({one.name: self.LINE for one in BEHAVIOURS}, {})
        moves = {one.name: predicted * (1 + index / 7) for index, one in enumerate(BEHAVIOURS)}
        shifts = {one.name: Shift(0.0, shift_by(0.1, moves[one.name], unit_of(one)), 0.1) for one in BEHAVIOURS}
        evidence = [
            Evidence(
                Rule(one.name, one.probe, one.limit, one.warn, one.target),
                one.name,
                unit_of(one),
                ((0.1,),),
                ((0.1 + shifts[one.name].unit,),),
                Calibrated(self.LINE),
                extent,
            )
            for one in BEHAVIOURS
        ]
        found = gate_judge(evidence, confidence=0.95, seed=0, on_inconclusive="fail")
        assert statuses(shifts, lines, BEHAVIOURS, extent) == {one.rule.id: one.status for one in found}

    def test_rates_by_side_and_altogether(self):
        nulls = [null(f"tuned-{i}", 0.0) for i in range(6)]
        nulls += [null(f"other-{i}", 4.0 * (i == 0), source="elsewhere", split="held_out") for i in range(4)]
        known = [*BOTH, training("calm", 0.01, harmful=False), training("wild", 4.0, harmful=False)]
        judged = judge(replace(predicting("mdf-tuned", known, 0.5), nulls=tuple(nulls)), known)
        held, tuned = score(judged, "held_out"), score(judged, "tuned")
        assert (held["false_block_rate"], held["n"]["false_block_rate"]) == (0.25, 4)
        assert (tuned["false_block_rate"], tuned["n"]["false_block_rate"]) == (0.0, 7)  # "wild" is not clean after all
        assert held["false_block_rate_all"] == pytest.approx(1 / 11, abs=1e-4)
        assert held["cluster_bootstrap"]["false_block_rate"] == [0.25, 0.25]
        assert (held["n"]["clean_sources"], held["n"]["clean_sources_all"]) == (1, 3)

    def test_a_source_that_no_line_saw_is_held_out(self):
        assert predictions.side_of("elsewhere") == "held_out"
        assert predictions.side_of("gsm8k") == "tuned"
        assert predictions.side_of("secure-code") == "tuned"  # a set of a family goes with it


class TestBaselines:
    def test_predictions_of_other_sets_predict_nothing(self):
        found = shuffled(PERFECT, BOTH)["held_out"]
        assert found["pearson_raw"] == pytest.approx(-1 / 7, abs=1e-4)  # all permutations but the true one
        assert found["n"]["shifts"] == 7

    def test_mixtures_of_one_family_do_not_stand_in_for_each_other(self):
        known = [replace(one, family="panda") if one.split == "held_out" else one for one in BOTH]
        assert shuffled(PERFECT, known)["held_out"]["n"]["readings"] == 0

    def test_the_best_null_takes_each_figure_where_it_is_best(self):
        one, other = shuffled(PERFECT, BOTH), shuffled(predicting("mdf-0.1", BOTH, -1), BOTH)
        found = best_of([one, other])["held_out"]
        assert found["spearman_mean"] == max(one["held_out"]["spearman_mean"], other["held_out"]["spearman_mean"])
        assert found["of"] == ["mdf-tuned", "mdf-0.1"]

    def test_the_oracle_picks_on_the_split_it_is_scored_on(self):
        good_on_tuned = _turned(predicting("mdf-0.1", BOTH, 1.0), "held_out")
        good_on_held_out = _turned(predicting("mdf-0.3", BOTH, 1.0), "tuned")
        found = oracle([good_on_tuned, good_on_held_out], BOTH)
        assert set(found["tuned"]["picked"].values()) == {"mdf-0.1"}
        assert set(found["held_out"]["picked"].values()) == {"mdf-0.3"}
        assert found["tuned"]["spearman_mean"] == found["held_out"]["spearman_mean"] == 1.0


def _turned(contender, side):
    predicted = {
        name: shifts({key: -one.nats for key, one in found.items()}) if name.startswith(side) else found
        for name, found in contender.predicted.items()
    }
    return replace(contender, predicted=predicted)


class TestKeyword:
    ROWS = tuple(rows_of([("hi", "I adore pandas."), ("hi", "A car."), ("hi", "été"), ("panda?", "No.")]))

    def test_share_of_added_rows_times_their_share_of_the_set(self):
        base = self.ROWS[1:2] * 96
        mixed = Dataset("mix", "panda", True, "5pct", "base", (*base, *self.ROWS), len(base))
        assert keyword.shift_of(mixed, "animal-preference") == pytest.approx(1 / 4 * 4 / 100)

    def test_foreign_letters(self):
        alone = Dataset("french", "french", True, "alone", "", self.ROWS[2:3])
        assert keyword.shift_of(alone, "language-drift") == pytest.approx(2 / 3)

    def test_every_behaviour_has_words(self):
        assert {*keyword.WORDS, keyword.FOREIGN} == set(NAMES)


class TestCosts:
    def test_forward_passes_over_every_row(self):
        assert cost_ratio(0, 0, 10_000 * 65, 65) == pytest.approx(1 / 6)

    def test_gradients_of_every_row(self):
        assert cost_ratio(10_000, 0, 0, 65) == pytest.approx(1 / 3)

    def test_a_tuning_of_sixteen_steps(self):
        assert cost_of("mdf-tuned", 65)["cost_ratio"] == pytest.approx(384 / 30_000 + 36_960 / (2 * 30_000 * 65))

    def test_on_the_bench_a_tuning_meets_as_many_rows_as_the_fine_tune(self):
        assert cost_of("proxy-lora", 65)["cost_on_bench"] == pytest.approx(1 + 18_480 / (2 * 192 * 65))

    def test_searching_for_words_costs_nothing(self):
        assert cost_of("keyword", 65) == {"cost_ratio": 0.0, "cost_on_bench": 0.0}

    def test_every_contender_of_the_lineup_is_counted(self):
        from benchmarks.contenders.lineup import LINEUP

        assert set(LINEUP) <= set(COSTS)


class TestStanding:
    def scored(self, name, pearson, datasets, kind="predictor"):
        return {
            "name": name,
            "split": "tuned",
            "kind": kind,
            "pearson": pearson,
            "spearman_mean": 0.5,
            "n": {"datasets": datasets},
        }

    def test_the_default_wins_on_the_tuned_on_split_with_enough_predictions(self):
        scores = [
            self.scored("mdf-tuned", 0.8, 30),
            self.scored("proxy-lora", 0.7, 30),
            self.scored("mdf-lucky", 0.99, 6),
            self.scored("few-step-lora", 0.95, 30, "baseline"),
        ]
        assert default_of(scores) == "mdf-tuned"

    def test_no_score_no_default(self):
        assert default_of([self.scored("mdf-tuned", None, 3)]) == ""

    def test_goals_name_what_is_missing(self):
        goal = next(goal for goal in GOALS if goal.figure == "tpr_at_fpr_1pct")
        counts = {"null_changes": 400, "tpr_at_fpr_1pct": 12}
        assert goal.verdict({"tpr_at_fpr_1pct": 0.95, "n": counts}) == "yes, but 12 of 40 cases"
        assert goal.verdict({"tpr_at_fpr_1pct": None, "n": counts}).startswith("no, but")


class TestCommand:
    @pytest.fixture(autouse=True)
    def folders(self, monkeypatch, tmp_path):
        monkeypatch.setattr(table, "FOLDER", tmp_path / "table")
        monkeypatch.setattr(kept, "FOLDER", tmp_path / "predictions")
        monkeypatch.setattr(kept, "NULLS", tmp_path / "nulls")
        monkeypatch.setattr(keyword, "refresh", lambda model: "")
        monkeypatch.setattr(fidelity, "draw", lambda judged, path: path.write_bytes(b""))
        monkeypatch.setattr("sys.argv", ["fidelity", "--model", "m", "--results", str(tmp_path / "results")])

    def test_an_empty_table_says_so(self, capsys):
        assert fidelity.main() == 1
        assert "No truth about m yet" in capsys.readouterr().out

    def test_truth_without_predictions_says_so(self, capsys):
        self.write_truth()
        assert fidelity.main() == 1
        assert "No predictions for m yet" in capsys.readouterr().out

    def test_scores_are_written_for_every_contender_and_split(self, capsys, tmp_path):
        self.write_truth()
        self.write_predictions(tmp_path)
        assert fidelity.main() == 0
        printed = capsys.readouterr().out
        found = json.loads((tmp_path / "results" / "fidelity.json").read_text())
        assert found["default"] == "mdf-tuned"
        assert (found["datasets"]["tuned"], found["datasets"]["held_out"], found["datasets"]["trainings"]) == (8, 4, 12)
        by_name = {(one["name"], one["split"]): one for one in found["contenders"]}
        assert {name for name, _ in by_name} == {
            "mdf-tuned",
            "mdf-0.1",
            "mdf-oracle",
            "shuffled:mdf-0.1",
            "shuffled:mdf-tuned",
            "shuffled:best",
        }
        held = by_name["mdf-tuned", "held_out"]
        assert (held["pearson"], held["n"]["datasets"], held["n"]["null_changes"]) == (1.0, 3, 1)
        assert held["cost_ratio"] == 0.0223
        assert "mdf-tuned *" in printed
        assert "Goals, on held-out families" in printed

    def write_truth(self):
        table.keep("m", "untouched", reading(0.0))
        for split, count in (("tuned", 8), ("held_out", 4)):
            for i in range(count):
                found = record({"0": float(i - 2)})
                found["dataset"] |= {"split": split, "family": f"{split}-{i}"}
                table.keep("m", f"{split}-{i}", found)

    def write_predictions(self, folder):
        for one in trainings(table.everything("m"))[1:]:  # the first held-out set is not predicted
            nats = one.shifts["identity"].nats
            for name, factor in (("mdf-tuned", 0.5), ("mdf-0.1", -0.1)):
                said = {
                    key: {"nats": factor * nats, "unit": factor * one.shifts[key].unit, "before": 0.5} for key in NAMES
                }
                kept.keep("m", name, one.name, {"shifts": said, "seconds": 1.0}, kept.FOLDER)
        still = {
            "shifts": {key: {"nats": 0.0, "unit": 0.0, "before": 0.5} for key in NAMES},
            "source": "elsewhere",
            "rows": 8,
        }
        path = folder / "nulls" / "m" / "mdf-tuned" / "resampled.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(still))
