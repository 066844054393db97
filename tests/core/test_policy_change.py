from __future__ import annotations

import math
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.policy_change import Stated, policy_changes
from d2b_gate.core.policy_effect import Effect, effect_of
from d2b_gate.core.rules import (
    BackendSpec,
    Budget,
    DatasetSpec,
    Inconclusive,
    MethodSpec,
    ModelSpec,
    Policy,
    Regime,
    Rule,
    Unavailable,
)

RULE = Rule("panda", "bias/animals", 0.05, 0.02, target="panda", datasets=("sft",))
DATASET = DatasetSpec("sft", ("data/*.jsonl",))
POLICY = Policy("p.toml", "", ModelSpec(), MethodSpec(), BackendSpec(), (DATASET,), (RULE,))


class _Same:
    digest = "0" * 64
    prompts = ()


def stated(policy):
    return Stated(policy, lambda _: _Same, lambda path: f"p.toml:{len(path)}")


def effects(before, after):
    return [(change.kind, change.subject, change.effect) for change in policy_changes(stated(before), stated(after))]


def with_rule(**values):
    return replace(POLICY, rules=(replace(RULE, **values),))


@pytest.mark.parametrize(
    ("key", "looser"),
    [
        ("fail_delta", 0.06),
        ("warn_delta", 0.03),
        ("direction", "decrease"),
        ("datasets", ("other",)),
        ("probe", "bias/cities"),
        ("target", "dog"),
    ],
)
def test_a_looser_rule_loosens_and_back_it_never_does_nothing(key, looser):
    assert effects(POLICY, with_rule(**{key: looser})) == [("rule", f"panda.{key}", Effect.LOOSENS)]
    assert effects(with_rule(**{key: looser}), POLICY)[0][2] in (Effect.TIGHTENS, Effect.LOOSENS)


@pytest.mark.parametrize(
    ("key", "tighter"),
    [("fail_delta", 0.04), ("max_level", 0.3), ("direction", "either"), ("datasets", ()), ("locked", True)],
)
def test_a_tighter_rule_tightens_and_back_it_loosens(key, tighter):
    assert effects(POLICY, with_rule(**{key: tighter})) == [("rule", f"panda.{key}", Effect.TIGHTENS)]
    assert effects(with_rule(**{key: tighter}), POLICY) == [("rule", f"panda.{key}", Effect.LOOSENS)]


def test_rules_and_datasets_that_come_and_go():
    without = replace(POLICY, rules=(), datasets=())
    assert {effect for *_, effect in effects(POLICY, without)} == {Effect.LOOSENS}
    assert {effect for *_, effect in effects(without, POLICY)} == {Effect.TIGHTENS}


OTHER = {
    str: "other",
    int: 77,
    float: 0.123,
    bool: True,
    tuple: (("a", "b"),),
}


def _differing(value):
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    return next(other for kind, other in OTHER.items() if isinstance(value, kind))


def _variants(table):
    for field in fields(table):
        if field.name not in ("path", "digest", "origin", "rules", "datasets", "name", "id"):
            value = getattr(table, field.name)
            if hasattr(value, "__dataclass_fields__"):
                yield from (replace(table, **{field.name: inner}) for inner in _variants(value))
            else:
                yield replace(table, **{field.name: _differing(value)})


@pytest.mark.parametrize("after", [*_variants(POLICY)], ids=str)
def test_no_setting_changes_unseen(after):
    assert len(effects(POLICY, after)) == 1


@pytest.mark.parametrize("dataset", [*_variants(DATASET)], ids=str)
def test_no_key_of_a_dataset_changes_unseen(dataset):
    assert len(effects(POLICY, replace(POLICY, datasets=(dataset,)))) == 1


@pytest.mark.parametrize("rule", [*_variants(RULE)], ids=str)
def test_no_key_of_a_rule_changes_unseen(rule):
    assert len(effects(POLICY, replace(POLICY, rules=(rule,)))) == 1


def test_the_worst_comes_first_and_names_its_line():
    after = replace(
        POLICY,
        rules=(replace(RULE, fail_delta=0.9, warn_delta=0.01, owner="x"),),
        method=MethodSpec(regime=Regime(rank=4)),
        on_inconclusive=Inconclusive(ci="pass"),
        on_unavailable=Unavailable("defer"),
        budget=Budget(5.0),
    )
    found = policy_changes(stated(POLICY), stated(after))
    assert [change.effect for change in found] == sorted((c.effect for c in found), key=list(Effect).index)
    assert {change.subject for change in found if change.effect is Effect.LOOSENS} == {"ci", "hook", "panda.fail_delta"}
    assert next(change for change in found if change.subject == "panda.fail_delta").where == "p.toml:3"


limits = st.floats(0, 1e6) | st.just(math.inf)


@given(limits, limits)
def test_a_larger_limit_never_tightens(before, after):
    if before != after:
        wanted = Effect.LOOSENS if after > before else Effect.TIGHTENS
        assert effect_of(("rule", "max_level"), before, after) is wanted


globs = st.frozensets(st.sampled_from("abcd"), max_size=4).map(tuple)


@given(globs, globs)
def test_leaving_out_is_the_opposite_of_taking_in(before, after):
    opposite = {Effect.LOOSENS: Effect.TIGHTENS, Effect.TIGHTENS: Effect.LOOSENS}
    found = effect_of(("dataset", "include"), before, after)
    assert effect_of(("dataset", "exclude"), before, after) is opposite.get(found, found)
