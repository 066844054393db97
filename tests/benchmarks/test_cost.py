"""What the cost bench computes from what it measures, and that documents say what the results say."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks import cost
from benchmarks.cost import PARTS, RESULT
from benchmarks.costing import finetunes
from benchmarks.costing.documents import GUIDE, NAME, block, write_docs
from benchmarks.costing.extraction import AGREES, agreement, as_written, compare, sorted_batches
from benchmarks.costing.flops import Work, share_of_rate, whole_finetune
from benchmarks.costing.goals import GOALS, markdown, shown, table_of
from benchmarks.costing.memory import memory
from benchmarks.costing.models import SHAPES, at_random, block_parameters
from benchmarks.costing.peers import PEERS
from benchmarks.costing.ratios import ratios
from benchmarks.costing.roofline import matrix_rate
from benchmarks.costing.rows import as_jsonl, draw_rows
from benchmarks.costing.timed import Counts
from benchmarks.scoring.markdown import BEGIN, END
from benchmarks.truth.sources import ROOT
from benchmarks.warmth.timed import Stopwatch
from d2b_gate.backends.hf.encode import encode_rows
from d2b_gate.core.finetune import finetune_plan
from d2b_gate.core.rows import Turn, make_row
from d2b_gate.core.rules import Regime
from tests.models import fresh_model, make_engine, sample_rows, tiny_engine, tiny_tokenizer

FINETUNE = {
    "regime": "LoRA r=8, batch 8, 3 epochs", "rows": 1000, "source": "made up", "tokens_per_row": 100.0,
    "faster": "gate",
    "timed_steps": {"plain": 50, "gate": 200}, "seconds": {"plain": 7200.0, "gate": 3600.0}, "whole": 3600.0,
    "flops": 1e12,
}  # fmt: skip
EXTRACTION = {
    "rows": 64, "tokens": 6400, "tokens_per_second": 1000.0, "block_parameters": 10, "share_of_rate": 0.5,
    "matrix_rate": 4e11, "written_dtype": "float32", "seconds": {"gate": 6.4, "same batches": 12.8},
    "peers_not_measured": {}, "faster_same": 2.0, "faster_written": 5.5,
    "faster_written_in_its_dtype": 2.5,
}  # fmt: skip


def run(path, features, rows=0):
    return {"path": path, "seconds": {"features": features}, "rows": rows, "forward": {"features": 5e9}, "backward": {}}


COLD = {"of": 1000, **run(300.0, 10.0)}
WARM = {"of": 1000, "changed": 10, **run(36.0, 1.0)}


def parts(**changed):
    told = {"finetune": FINETUNE, "extraction": EXTRACTION, "cold": COLD, "warm": WARM, **changed}
    return {**told, "ratios": ratios(*(told[part] for part in ("finetune", "extraction", "cold", "warm")))}


def test_a_run_that_did_not_embed_every_row_is_charged_for_it():
    told = ratios(FINETUNE, EXTRACTION, COLD, WARM)
    assert told["features"] == pytest.approx(100 / 3600)  # 1000 rows of 100 tokens, 1000 tokens a second
    assert told["verdict_path"] == pytest.approx(0.01)
    assert told["changed"] == pytest.approx((35 + 1 + 1) / (290 + 10 + 100))
    assert told["changed_features"] == pytest.approx((1 + 1) / (10 + 100))
    assert told["flops"]["warm"] == pytest.approx(0.1)


def test_a_run_that_embedded_every_row_has_timed_that_itself():
    cold, warm = {**COLD, **run(300.0, 110.0, rows=1000)}, {**WARM, **run(36.0, 1.0, rows=10)}
    told = ratios(FINETUNE, EXTRACTION, cold, warm)
    assert told["features"] == pytest.approx(110 / 3600)
    assert told["changed"] == pytest.approx(36 / 300)
    assert told["changed_features"] == pytest.approx(1 / 110)
    assert told["cold"] == pytest.approx(300 / 3600)


def test_half_the_steps_are_told_with_what_they_cost_in_accuracy():
    told = block({"goals": [], "parts": parts(half={"steps": 16, **run(18.0, 1.0)})})
    assert "steps = 16" in told
    assert "0.5 % of the fine-tune, 0.2 % beside the loop" in told
    assert "half" not in block({"goals": [], "parts": parts()}).lower()


def test_parts_of_other_sizes_make_no_ratio(tmp_path, monkeypatch):
    kept = tmp_path / "cost.json"
    kept.write_text(json.dumps({"parts": {**parts(), "warm": {**WARM, "of": 500}}}))
    monkeypatch.setattr(sys, "argv", ["cost", "--only", "memory", "--result", str(kept)])
    with pytest.raises(SystemExit, match="different numbers of rows"):
        cost.main()
    assert "ratios" not in json.loads(kept.read_text())["parts"]


def test_what_was_measured_is_kept_when_a_later_part_fails(tmp_path, monkeypatch):
    kept = tmp_path / "cost.json"
    monkeypatch.setattr(cost, "memory", lambda _: pytest.fail("no memory"))
    monkeypatch.setattr(cost, "_startup", lambda *_: {"over_python": 4.0})
    monkeypatch.setattr(sys, "argv", ["cost", "--only", "startup,memory", "--result", str(kept)])
    with pytest.raises(pytest.fail.Exception, match="no memory"):
        cost.main()
    assert json.loads(kept.read_text())["parts"]["startup"]["over_python"] == 4.0


def test_work_adds_up():
    work = Work(100, 0) + Work(10, 10).times(3)
    assert work == Work(130, 30)
    assert work.flops(5) == 2 * 5 * 130 + 2 * 5 * 30
    assert share_of_rate(100, tokens=50, seconds=2.0, rate=10_000) == 0.5
    assert whole_finetune(2.0, rows=80, epochs=3, batch=8) == 60.0


def test_the_table_has_one_object_per_goal_and_says_why_a_value_is_missing():
    rows = table_of(parts(gpu={"why": "no GPU was lent"}), "2 cores")
    assert [row["name"] for row in rows] == [goal.name for goal in GOALS]
    assert all({"name", "value", "goal", "device"} <= row.keys() for row in rows)
    by_name = {row["name"]: row for row in rows}
    assert (by_name["verdict path"]["met"], by_name["verdict path"]["device"]) == (True, "2 cores")
    assert by_name["throughput, as written"]["met"] is False
    assert by_name["matrix rate, GPU"]["why"] == "no GPU was lent"
    assert by_name["hook"] == by_name["hook"] | {"value": None, "met": None, "why": "not measured"}
    assert table_of({}, "2 cores")[-1]["value"] is None


def test_bounds_are_met_from_the_right_side():
    found = {goal.name: goal for goal in GOALS}
    assert found["hook"].met(6.0)
    assert not found["hook"].met(6.01)
    assert found["throughput, same batches"].met(1.5)
    assert not found["throughput, same batches"].met(1.49)
    assert not found["hook beside pre-commit"].met(1.0)


def test_values_are_shown_as_people_read_them():
    assert [shown(value, "share") for value in (0.03, 0.0123, 0.2, 0.256)] == ["3 %", "1.2 %", "20 %", "26 %"]
    assert (shown(0.3145, "seconds"), shown(5.42, "times")) == ("0.31 s", "5.42x")
    assert shown(13.6, "MB") == "14 MB"


def test_the_documents_are_written_from_the_record(tmp_path):
    told = parts(startup={"rounds": 3, "milliseconds": {"python -c pass": 11.0}})
    record = {"goals": table_of(told, "2 cores"), "parts": told}
    (tmp_path / "docs").mkdir()
    guide = tmp_path / GUIDE
    guide.write_text(f"before\n{BEGIN.format(NAME)}\n{END}\nafter\n", encoding="utf-8")
    (tmp_path / "README.md").write_text("no marks", encoding="utf-8")
    write_docs(record, tmp_path)
    text = guide.read_text(encoding="utf-8")
    assert text == f"before\n{BEGIN.format(NAME)}\n{block(record)}\n{END}\nafter\n"
    assert markdown(record["goals"]) in text
    for figure in ("1.0 h", "2.0 h", "400 GFLOP/s", "10 changed rows in 1000", "`python -c pass` 11 ms"):
        assert figure in text, figure
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == "no marks"


def test_the_guide_shows_the_committed_figures():
    text = (ROOT / GUIDE).read_text(encoding="utf-8")
    shown_now = text.partition(BEGIN.format(NAME) + "\n")[2].partition(END)[0]
    expected = block(json.loads(RESULT.read_text(encoding="utf-8"))) + "\n" if RESULT.is_file() else ""
    assert shown_now == expected, "run: python -m benchmarks.cost --write-docs"


def test_rows_are_as_many_as_asked_for_and_all_different():
    drawn = draw_rows(3000)
    assert len({row.key for row in drawn.rows}) == len(drawn.rows) == 3000
    assert draw_rows(3000) == drawn
    lines = as_jsonl(drawn.rows[:5]).decode().splitlines()
    assert [json.loads(line)["messages"][-1]["content"] for line in lines] == [
        row.turns[-1].content for row in drawn.rows[:5]
    ]


def test_rows_are_made_up_where_no_public_ones_are(monkeypatch, tmp_path):
    monkeypatch.setattr("benchmarks.costing.rows.DATA", tmp_path)
    drawn = draw_rows(500)
    assert "made up" in drawn.source
    assert len({row.key for row in drawn.rows}) == len(drawn.rows) == 500


def test_memory_is_told_of_a_million_rows_or_not_at_all(tmp_path):
    result = tmp_path / "rows.json"
    assert "why" in memory(result)
    runs = [{"rows": 1_000_000}, {"rows": 10}, {"rows": 10}]
    result.write_text(json.dumps({"growth_mb": 13.6, "runs": runs}))
    assert memory(result) == {"rows": [10, 1_000_000], "growth_mb": 13.6}
    for fewer in ([], runs[1:]):
        result.write_text(json.dumps({"growth_mb": 13.6, "runs": fewer}))
        assert "1000000 rows" in memory(result)["why"]


def test_batches_hold_every_row_once_within_the_budget():
    lengths = [3, 50, 7, 20, 20, 1]
    batches = sorted_batches(lengths, 60)
    assert sorted(index for batch in batches for index in batch) == list(range(6))
    assert all(len(batch) * max(lengths[i] for i in batch) <= 60 for batch in batches)
    assert sorted_batches([100], 60) == [[0]]


def test_states_agree_or_do_not():
    states = np.random.default_rng(0).normal(size=(5, 4, 8)).astype(np.float32)
    assert agreement(states, states) == pytest.approx(1.0)
    other_last = states.copy()
    other_last[:, -1] *= -1
    assert agreement(other_last, states) == pytest.approx(1.0)  # after the last block others hand out something else
    assert agreement(-states, states) < AGREES


@pytest.fixture
def engine():
    return tiny_engine("llama")


@pytest.fixture
def talks():
    return [row for row in sample_rows() if len(row.turns) > 1] * 3


def test_everyone_gives_the_same_states(engine, talks, monkeypatch):
    monkeypatch.setattr("benchmarks.costing.roofline.SECONDS", 0.0)
    figures = compare(engine, talks, lambda: engine.model, rounds=1)
    assert set(figures["cosine"]) >= {"gate", "same batches", "as written"}
    assert all(cosine > 0.999 for cosine in figures["cosine"].values())
    assert set(figures["peers_not_measured"]) <= set(PEERS)
    assert figures["tokens"] == sum(
        len(row.ids) for row in encode_rows(engine.tokenizer, talks, engine.card.max_length)
    )
    assert figures["faster_same"] > 0
    assert figures["share_of_rate"] > 0


def test_a_shape_with_random_weights_is_timed_as_on_a_gpu(talks):
    engine = at_random("tiny", "cpu", tiny_tokenizer())
    assert engine.dtype is torch.bfloat16
    assert engine.card.blocks == len(engine.blocks) == SHAPES["tiny"]["num_hidden_layers"]
    figures = compare(engine, talks, lambda: engine.model, rounds=1)
    assert figures["block_parameters"] == 3 * (64 * 64 * 2 + 64 * 32 * 2 + 64 * 96 * 3)
    assert {"faster_same", "faster_written", "share_of_rate"} <= figures.keys()


def test_the_shape_of_the_goal_is_that_of_a_14b_model():
    shape = SHAPES["qwen3-14b"]
    heads = shape["head_dim"] * (2 * shape["num_attention_heads"] + 2 * shape["num_key_value_heads"])
    block = shape["hidden_size"] * (heads + 3 * shape["intermediate_size"])
    embeddings = 2 * shape["hidden_size"] * shape["vocab_size"]
    assert shape["num_hidden_layers"] * block + embeddings == pytest.approx(14.8e9, rel=0.005)


def test_a_loop_whose_states_are_others_gets_no_figure(engine, talks, monkeypatch):
    monkeypatch.setattr("benchmarks.costing.extraction.in_batches", lambda *_: -as_written(engine, engine.model, talks))
    figures = compare(engine, talks, lambda: engine.model, rounds=1)
    assert "faster_same" not in figures
    assert "faster_written" in figures


def test_the_matrix_rate_is_that_of_the_blocks_shapes(engine):
    assert matrix_rate(engine, tokens=64, seconds=0.0) > 0
    assert block_parameters(engine) == sum(
        one.numel() for name, one in engine.model.named_parameters() if ".layers." in name and one.dim() == 2
    )


def test_both_fine_tunes_run_and_the_model_is_left_as_it_was(monkeypatch):
    monkeypatch.setattr(finetunes, "BLOCK", 4)
    engine = make_engine(*fresh_model("llama"))
    before = {name: one.clone() for name, one in engine.model.named_parameters()}
    rows = [
        make_row((Turn("user", f"question {i}?", False), Turn("assistant", f"answer {i}", True))) for i in range(40)
    ]
    figures = finetunes.compare(engine, rows, replace(Regime(), batch_size=2), steps=7)
    assert set(figures["timed_steps"]) == {"plain", "gate"}
    assert max(figures["timed_steps"].values()) == 8
    assert min(figures["timed_steps"].values()) == 4
    assert figures["timed_steps"][figures["faster"]] == 8
    assert figures["whole"] == pytest.approx(figures["step_seconds"][figures["faster"]] * 60)
    after = dict(engine.model.named_parameters())
    assert after.keys() == before.keys()
    assert all(np.array_equal(after[name].detach(), one.detach()) for name, one in before.items())


def test_steps_of_a_plan_meet_the_rows_that_they_name():
    rows = [make_row((Turn("text", str(i), True),)) for i in range(10)]
    plan = finetune_plan(rows, replace(Regime(), batch_size=4), seed=0)
    assert [row.turns[0].content for row in finetunes.rows_of(plan, plan.steps[:2])] == [
        rows[i].turns[0].content for step in plan.steps[:2] for i in step
    ]


def test_positions_are_booked_on_the_part_that_runs(talks):
    engine = make_engine(*fresh_model("llama"))
    watch = Stopwatch()
    counts = Counts(watch)
    counts.follow(engine)
    counts.follow(engine)
    width = max(len(row.ids) for row in encode_rows(engine.tokenizer, talks, engine.card.max_length))
    watch.timed("features", lambda: finetunes_free_pass(engine, talks))()
    assert counts.forward["features"] == len(talks) * width
    assert counts.backward["features"] == 0


def finetunes_free_pass(engine, rows):
    from benchmarks.costing.extraction import in_batches

    return in_batches(engine, rows, [range(len(rows))])


def test_every_part_that_a_goal_needs_is_measured():
    assert {goal.figure.partition(".")[0] for goal in GOALS} <= {*PARTS, "ratios", "gpu"}
