"""The calibration that ships holds for the default policy, and is fitted on the tuned-on split of the truth."""

from __future__ import annotations

import pytest

from benchmarks.calibration import FOLDER, _lines
from benchmarks.scoring.predictions import contenders
from benchmarks.scoring.shifts import trainings
from benchmarks.truth.table import everything
from d2b_gate.core.calibration import Line
from d2b_gate.core.calibration_file import calibration_key, read_calibration
from d2b_gate.core.ports import ModelCard
from d2b_gate.policy.packs import pack_reader
from d2b_gate.policy.read import read_effective
from d2b_gate.probes.catalogue import Catalogue, pack_root
from d2b_gate.registry import load_all

FILE = FOLDER / "smollm2-135m.json"
POLICY = 'schema = 1\nextends = ["d2b:default"]\n[[dataset]]\nname = "sft"\ninclude = ["data/*.jsonl"]\n'


@pytest.fixture(scope="module")
def shipped():
    return read_calibration(FILE.read_text(encoding="utf-8"), FILE.name)


@pytest.fixture(scope="module")
def policy():
    from d2b_gate.cli.policy_reading import known_names

    kinds = load_all("probe_kinds")
    catalogue = Catalogue(pack_root(), lambda _: None, kinds)
    packs = pack_reader(pack_root(), lambda _: None)
    return read_effective(
        POLICY, "d2b-gate.toml", packs=packs, probes=catalogue, kinds=kinds, known=known_names()
    ).policy


def test_it_holds_for_the_default_policy_on_the_embedded_model(shipped, policy):
    record = everything("smollm2-135m")["gsm8k-base"]["provenance"]
    card = ModelCard("", record["revision"], record["tokenizer"], policy.model.dtype, "cpu", 30, 576, 1024, ())
    assert shipped.key == calibration_key(card, policy.method)


def test_every_rule_of_the_default_policy_has_a_line_for_its_probe_as_it_is(shipped, policy):
    kinds = load_all("probe_kinds")
    catalogue = Catalogue(pack_root(), lambda _: None, kinds)
    lines = {(one.probe_digest, one.target): one.line for one in shipped.lines}
    for rule in policy.rules:
        assert isinstance(lines[catalogue(rule.probe).digest, rule.target], Line), rule.id


def test_its_lines_are_those_of_the_committed_truth_and_predictions(shipped):
    known = trainings(everything("smollm2-135m"))
    found = {one.name: one for one in contenders("smollm2-135m", [one.name for one in known])}
    for mine, theirs in zip(shipped.lines, _lines(found["proxy-lora"], known), strict=True):
        assert mine.line == theirs.line
        assert mine.probe_digest == theirs.probe_digest
