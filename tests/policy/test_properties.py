"""What holds for every policy: through the real reader."""

from __future__ import annotations

import math
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from d2b_gate.core.calibration import NEAR
from d2b_gate.core.errors import PolicyError
from d2b_gate.core.judge import Evidence, judge
from d2b_gate.core.noise import Null
from d2b_gate.core.policy_change import Stated, policy_changes
from d2b_gate.core.policy_effect import Effect
from d2b_gate.core.rules import Rule
from d2b_gate.core.verdict import Status
from d2b_gate.policy.render import render
from tests.policy.support import HEAD, probes, read

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
limits = st.floats(0, 1, allow_nan=False)
names = st.sets(st.sampled_from(["sft", "more", "rest"]), max_size=3).map(sorted)
DATASETS = "".join(f'[[dataset]]\nname = "{name}"\ninclude = ["{name}/*"]\n' for name in ("sft", "more", "rest"))


def _toml(value):
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, bool):
        return str(value).lower()
    return f"[{', '.join(map(_toml, value))}]" if isinstance(value, list) else repr(value)


def entry(values):
    return "".join(f"{key} = {_toml(value)}\n" for key, value in values.items())


some_keys = st.fixed_dictionaries(
    {},
    optional={
        "probe": st.sampled_from(["bias/animals", "persona/identity"]),
        "target": st.sampled_from(["panda", "dog"]),
        "direction": st.sampled_from(["increase", "decrease", "either"]),
        "warn_delta": limits,
        "fail_delta": limits,
        "max_level": limits,
        "datasets": names,
        "locked": st.booleans(),
        "owner": st.just("@acme"),
    },
)


@settings(max_examples=300, deadline=None)
@given(some_keys, some_keys, some_keys)
def test_no_child_ever_loosens_a_locked_rule(first, second, third):
    base = {"id": "r", "probe": "bias/animals", "target": "panda", "fail_delta": 0.5, **first, "locked": True}
    parent = f"schema = 1\n{DATASETS}[[rule]]\n{entry(base)}"
    files = {
        "base.toml": parent,
        "middle.toml": f'schema = 1\nextends = ["base.toml"]\n[[rule]]\nid = "r"\n{entry(second)}',
    }
    child = f'schema = 1\nextends = ["middle.toml"]\n[[rule]]\nid = "r"\n{entry(third)}'
    try:
        before, after = read(parent), read(child, files)
    except PolicyError:
        return
    sides = [Stated(policy, probes, lambda _: "") for policy in (before, after)]
    assert not [change for change in policy_changes(*sides) if change.effect is Effect.LOOSENS]


@st.composite
def policies(draw):
    """Any policy that the reader accepts, by way of a text."""
    rule = {"id": "r", "probe": "bias/animals", "target": "panda", "fail_delta": 1.0, **draw(some_keys)}
    text = f"schema = 1\n{DATASETS}[[rule]]\n{entry(rule)}"
    try:
        policy = read(text)
    except PolicyError:
        policy = read(f'{HEAD}[[rule]]\nid = "r"\nprobe = "persona/identity"\nfail_delta = 1.0\n')
    policy = replace(
        policy,
        rules=tuple(replace(one, owner=draw(words), why=draw(words)) for one in policy.rules),
        datasets=tuple(replace(one, weight=draw(st.floats(0.1, 9))) for one in policy.datasets),
        method=replace(policy.method, seed=draw(st.integers(0, 2**32 - 1)), alpha=draw(st.floats(1e-9, 1e9))),
        require_calibration=draw(st.booleans()),
    )
    columns = draw(st.dictionaries(st.sampled_from(["prompt", "completion"]), words.filter(bool)))
    first = replace(policy.datasets[0], columns=tuple(sorted(columns.items())))
    return replace(policy, datasets=(first, *policy.datasets[1:]))


def _unplaced(policy):
    """The policy without where its values stand; the digest is of the rest."""
    return replace(
        policy,
        path="",
        digest="",
        rules=tuple(replace(rule, origin="") for rule in policy.rules),
        datasets=tuple(replace(dataset, origin="") for dataset in policy.datasets),
    )


@settings(max_examples=200, deadline=None)
@given(policies())
def test_a_policy_that_is_written_and_read_is_the_same(policy):
    assert _unplaced(read(render(policy))) == _unplaced(policy)


values = st.lists(st.floats(-2, 2), min_size=3, max_size=3).map(tuple)
ORDER = [Status.OK, Status.WARN, Status.INCONCLUSIVE, Status.FAIL]


@settings(max_examples=200, deadline=None)
@given(
    values,
    values,
    values,
    st.sampled_from(["increase", "decrease", "either"]),
    limits,
    limits,
    st.floats(0, 3),
    limits | st.just(math.inf),
)
def test_a_larger_limit_never_makes_a_verdict_worse(before, after, clean, direction, warn, low, more, ceiling):
    def rank(fail, top):
        rule = Rule("r", "p", fail_delta=fail, warn_delta=min(warn, low), direction=direction, max_level=top)
        evidence = Evidence(rule, "t", "nats", (before,), (after,), Null(clean), NEAR)
        return ORDER.index(judge([evidence], confidence=0.95, seed=0, on_inconclusive="fail")[0].status)

    assert rank(low + more, ceiling) <= rank(low, ceiling)
    if math.isfinite(ceiling):  # a first ceiling is one more test of the same rule, and halves the error of each
        assert rank(low, ceiling + more) <= rank(low, ceiling)
