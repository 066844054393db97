"""Whatever is registered keeps its table's contract; a new line in the registry is tested by being there."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from d2b_gate.backends.fake import FakeBackend
from d2b_gate.core.errors import UsageError
from d2b_gate.core.features import Adapter
from d2b_gate.core.mixture import Mixture
from d2b_gate.core.ports import Question
from d2b_gate.core.reading import Probe, Prompt
from d2b_gate.core.rules import DatasetSpec, MethodSpec
from d2b_gate.formats.reading import read_rows
from d2b_gate.registry import CONTAINERS, PREDICTORS, PROBE_KINDS, REPORTS, SHAPES, TABLES, load, load_all
from d2b_gate.reports.interface import RenderOptions
from tests.conformance import test_backends
from tests.gate.harness import CLEAN, PANDA, Bench, jsonl, policy
from tests.models import sample_rows

ROWS = tuple(row for row in sample_rows() if row.trains)


@pytest.mark.parametrize("table", TABLES)
def test_every_name_loads_and_no_other_does(table):
    assert set(load_all(table)) == set(TABLES[table])
    with pytest.raises(UsageError, match="known: "):
        load(table, "no-such-name")


def test_a_near_miss_is_guessed():
    with pytest.raises(UsageError, match="did you mean 'mdf-tuned'"):
        load("predictors", "mdf-tunde")


def question(kind):
    prompts = tuple(Prompt(str(i), "default", f"ask {i}", "It is", ("panda", "owl")) for i in range(3))
    probe = Probe("p", kind, "t", "d", "share", -1e9, 1e9, "c", "en", prompts, ("panda", "owl"), "x")
    module = load("probe_kinds", kind)
    targets = module.targets(probe)
    return Question(probe, targets[0] if targets else "", module, prompts)


@pytest.mark.parametrize("kind", PROBE_KINDS)
def test_a_probe_kind_values_every_prompt_and_knows_its_slope(kind):
    asked = question(kind)
    log_probs = ((-1.0, -2.0), (-3.0, -0.5), (-2.0, -2.0))
    values = asked.kind.values(asked.probe, asked.target, log_probs)
    slopes = asked.kind.coefficients(asked.probe, asked.target, log_probs)
    step = 1e-6
    for i, one in enumerate(log_probs):
        for j in range(2):
            moved = tuple(value + step * (k == j) for k, value in enumerate(one))
            after = asked.kind.values(asked.probe, asked.target, (moved,))[0]
            assert (after - values[i]) / step == pytest.approx(slopes[i][j], abs=1e-4)
        assert math.fsum(asked.kind.shares(one)) == pytest.approx(1.0)


def matrices(injected):
    if isinstance(injected, Adapter):
        assert len(injected.names) == len(injected.downs) == len(injected.ups) > 0
        return (*injected.downs, *injected.ups)
    assert injected.vectors_ld.shape == (len(injected.sites), FakeBackend().card.width)
    return (injected.vectors_ld,)


@pytest.mark.parametrize("name", PREDICTORS)
def test_a_predictor_is_deterministic_and_reads_every_question(name):
    predictor = load("predictors", name)
    backend = FakeBackend()
    method = MethodSpec(predictor=name, steps=4, batch=2, sample=4)
    mixture = Mixture(ROWS[:3], ROWS[3:4], 0.2, 1.0)
    asked = tuple(question(kind) for kind in PROBE_KINDS)
    first, second = (predictor.inject(mixture, method, backend) for _ in range(2))
    for one, other in zip(matrices(first), matrices(second), strict=True):
        assert (one == other).all()
        assert one.dtype.name == "float32"
    assert predictor.reach(mixture, method) == 1.0 <= predictor.reach(replace(mixture, changed_count=9.0), method)
    replies = predictor.read(asked, first, method, backend)
    assert [len(reply.values) for reply in replies] == [3, 3]
    assert all(math.isfinite(value) for reply in replies for value in reply.values)


@pytest.fixture(scope="module")
def verdicts():
    bench = Bench()
    base = {"data/a.jsonl": jsonl(*CLEAN)}
    return [
        bench.check(base, {"data/a.jsonl": jsonl(*CLEAN, *PANDA)}, policy()),
        bench.check(base, base, policy()),
    ]


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_pure_text_that_never_changes_the_exit_code(name, verdicts):
    report = load("reports", name)
    for verdict in verdicts:
        before = verdict.exit
        text = report.render(verdict, RenderOptions())
        assert text == report.render(verdict, RenderOptions())
        assert text.endswith("\n")
        assert "\x1b" not in text
        assert verdict.exit is before


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_takes_its_own_suffixes_and_reads_an_empty_file_as_no_rows(name):
    container = load("containers", name)
    assert container.SUFFIXES
    assert all(suffix.startswith(".") for suffix in container.SUFFIXES)
    if name != "parquet":  # an empty Parquet file is not empty: it has a footer
        assert list(container.records(b"", f"x{container.SUFFIXES[0]}")) == []


SAMPLES = {
    "messages": '{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}',
    "prompt-completion": '{"prompt":"q","completion":"a"}',
    "alpaca": '{"instruction":"q","input":"","output":"a"}',
    "sharegpt": '{"conversations":[{"from":"human","value":"q"},{"from":"gpt","value":"a"}]}',
    "preference": '{"prompt":"q","chosen":"a","rejected":"b"}',
    "unpaired-preference": '{"prompt":"q","completion":"a","label":true}',
    "text": '{"text":"a"}',
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_found_out_by_itself_and_trains_the_answer(name):
    shape = load("shapes", name)
    assert name == shape.NAME
    spec = DatasetSpec("d", ("*",))
    (row,) = read_rows(SAMPLES[name].encode(), "x.jsonl", spec, load_all("containers"), load_all("shapes"))
    assert [turn.content for turn in row.turns if turn.trained] == ["a"]


def test_the_backend_suite_runs_over_every_registered_backend():
    assert set(test_backends.BACKENDS) == set(TABLES["backends"])
