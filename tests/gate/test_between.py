"""A part of a change's effect: the ends are the states, and what lies between lies on the straight line."""

from __future__ import annotations

import numpy as np
import pytest

from d2b_gate.core.features import Adapter, Injection, Site
from d2b_gate.gate.between import between
from tests.models import sample_prompts, tiny_backend

NOTHING = Injection((), np.zeros((0, 4), dtype=np.float32))


def adapter(seed, names=("a", "b"), rank=2, scale=0.5):
    rng = np.random.default_rng(seed)
    downs = tuple(rng.standard_normal((rank, 3)).astype(np.float32) for _ in names)
    ups = tuple(rng.standard_normal((5, rank)).astype(np.float32) for _ in names)
    return Adapter(names, downs, ups, scale)


def update(one, name):
    """The dense update of one layer."""
    parts = zip(one.names, one.downs, one.ups, strict=True)
    return sum((one.scale * up @ down for known, down, up in parts if known == name), np.zeros((5, 3)))


def vectors(seed, sites, scale=1.0):
    values = np.random.default_rng(seed).standard_normal((len(sites), 4)).astype(np.float32)
    return Injection(tuple(Site(block) for block in sites), values, scale)


def dense(one):
    out = np.zeros((4, 4))
    for site, vector in zip(one.sites, one.vectors_ld, strict=True):
        out[site.block] += one.scale * vector
    return out


ENDS = [
    (NOTHING, vectors(0, (0, 1))),
    (vectors(0, (1, 0), 0.3), vectors(1, (0, 2))),
    (NOTHING, adapter(0)),
    (adapter(0), adapter(1, names=("b", "c"), rank=3, scale=2.0)),
]


@pytest.mark.parametrize(("before", "after"), ENDS)
def test_the_ends_are_the_states_themselves(before, after):
    assert between(before, after, 0.0) is before
    assert between(before, after, 1.0) is after


@pytest.mark.parametrize("strength", [0.25, 0.5, 0.9])
def test_vectors_between_are_weighted_sums(strength):
    for before, after in ENDS[:2]:
        expected = (1 - strength) * dense(before) + strength * dense(after)
        np.testing.assert_allclose(dense(between(before, after, strength)), expected, atol=1e-6)


@pytest.mark.parametrize("strength", [0.25, 0.5, 0.9])
def test_updates_of_layers_between_are_weighted_sums_of_products(strength):
    before, after = ENDS[3]
    middle = between(before, after, strength)
    assert sorted(middle.names) == ["a", "b", "c"]
    for name in middle.names:
        expected = (1 - strength) * update(before, name) + strength * update(after, name)
        np.testing.assert_allclose(update(middle, name), expected, atol=1e-5)
    alone = between(*ENDS[2], strength)
    np.testing.assert_allclose(update(alone, "a"), strength * update(ENDS[2][1], "a"), atol=1e-6)


def test_readings_begin_and_end_at_the_states():
    backend, prompts = tiny_backend("llama"), sample_prompts()
    names = tuple(f"model.layers.{block}.self_attn.q_proj" for block in range(2))
    width = backend.card.width
    rng = np.random.default_rng(0)
    before, after = (
        Adapter(
            names,
            tuple(rng.standard_normal((2, width)).astype(np.float32) for _ in names),
            tuple(rng.standard_normal((width, 2)).astype(np.float32) for _ in names),
            0.3,
        )
        for _ in range(2)
    )
    ends = [backend.read(prompts, one) for one in (before, after)]
    assert np.abs(np.subtract(ends[0][0], ends[1][0])).max() > 0.1
    for strength, end in ((1e-6, ends[0]), (1 - 1e-6, ends[1])):
        near = backend.read(prompts, between(before, after, strength))
        for one, other in zip(near, end, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-3)


def test_nothing_is_between_nothing():
    assert between(NOTHING, NOTHING, 0.5) is NOTHING


def test_vectors_and_an_adapter_do_not_mix():
    with pytest.raises(ValueError, match="nothing between"):
        between(vectors(0, (0,)), adapter(0), 0.5)
