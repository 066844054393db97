from dataclasses import replace

import pytest

from d2b_gate.core.rules import Unavailable
from d2b_gate.policy.digest import judged_digest, policy_digest
from tests.policy.support import MINIMAL, read

POLICY = read(MINIMAL)


def with_rule(**changes):
    return replace(POLICY, rules=(replace(POLICY.rules[0], **changes),))


def test_the_policy_carries_its_digest():
    assert POLICY.digest == policy_digest(POLICY)
    assert len(POLICY.digest) == 64


def test_where_a_policy_stands_and_how_it_is_written_do_not_matter():
    spaced = MINIMAL.replace(" = ", "  =  ").replace("\n", "\n\n") + "# comment\n"
    assert read(spaced, path=".d2b-gate.toml").digest == POLICY.digest
    assert read('schema = 1\nextends = ["base.toml"]\n', {"base.toml": MINIMAL}).digest == POLICY.digest


@pytest.mark.parametrize(
    "other",
    [
        with_rule(fail_delta=0.06),
        with_rule(warn_delta=0.01),
        with_rule(max_level=0.5),
        with_rule(direction="either"),
        with_rule(target="dog"),
        with_rule(owner="x"),
        with_rule(locked=True),
        replace(POLICY, on_unavailable=Unavailable("defer")),
    ],
)
def test_limits_are_part_of_the_policy_but_not_of_predictions(other):
    assert policy_digest(other) != policy_digest(POLICY)
    assert judged_digest(other) == judged_digest(POLICY)


@pytest.mark.parametrize(
    "other",
    [
        with_rule(probe="persona/identity"),
        with_rule(datasets=("sft",)),
        replace(POLICY, model=replace(POLICY.model, dtype="bfloat16")),
        replace(POLICY, method=replace(POLICY.method, seed=1)),
        replace(POLICY, method=replace(POLICY.method, regime=replace(POLICY.method.regime, epochs=1.0))),
        replace(POLICY, datasets=(replace(POLICY.datasets[0], weight=2.0),)),
        replace(POLICY, datasets=(replace(POLICY.datasets[0], include=("x",)),)),
    ],
)
def test_what_predictions_depend_on_is_part_of_both(other):
    assert policy_digest(other) != policy_digest(POLICY)
    assert judged_digest(other) != judged_digest(POLICY)
