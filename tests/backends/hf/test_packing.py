"""Trees of prompts: every path is there once, and what is read is what each prompt alone would read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.backends.hf import answer
from d2b_gate.backends.hf.asking import Asked, ask
from d2b_gate.backends.hf.packing import branched, paths, tree_of, trees
from d2b_gate.gate.measure import no_injection
from tests.models import sample_prompts, tiny_backend

TOKENS = st.integers(0, 3)
ASKED = st.builds(
    Asked,
    st.lists(TOKENS, min_size=1, max_size=4).map(tuple),
    st.lists(st.lists(TOKENS, min_size=1, max_size=3).map(tuple), min_size=1, max_size=4).map(tuple),
)


def path_of(tree, node):
    path = []
    while node >= 0:
        path.append(tree.ids[node])
        node = tree.parents[node]
    return tuple(reversed(path))


@given(st.lists(ASKED, max_size=8), st.integers(1, 30))
def test_every_token_of_every_continuation_is_read_behind_what_leads_to_it(asked, most):
    grown = trees(asked, most)
    read = {}
    for tree in grown:
        for parent, token, prompt, continuation in tree.reads:
            read.setdefault((prompt, continuation), []).append((path_of(tree, parent), token))
    expected = {
        (p, c): [(one.prefix + ids[:k], ids[k]) for k in range(len(ids))]
        for p, one in enumerate(asked)
        for c, ids in enumerate(one.continuations)
    }
    assert read == expected


@given(st.lists(ASKED, max_size=8), st.integers(1, 30))
def test_a_tree_holds_each_path_once_parents_first_and_stays_small(asked, most):
    for tree in trees(asked, most):
        paths = [path_of(tree, node) for node in range(len(tree.ids))]
        assert len(set(paths)) == len(paths)
        assert all(parent < node for node, parent in enumerate(tree.parents))
        assert tree.positions == [len(path) - 1 for path in paths]
        prompts = {read[2] for read in tree.reads}
        assert len(tree.ids) <= most or len(prompts) == 1


@given(ASKED)
def test_paths_read_the_same_and_never_branch(asked):
    grown = paths(asked, 7)
    read = {}
    for tree in grown:
        assert tree.prompt == 7
        assert tree.parents == list(range(-1, len(tree.ids) - 1))
        for parent, token, prompt, continuation in tree.reads:
            read.setdefault((prompt, continuation), []).append((path_of(tree, parent), token))
    assert read == {
        (7, c): [(asked.prefix + ids[:k], ids[k]) for k in range(len(ids))] for c, ids in enumerate(asked.continuations)
    }


@given(st.lists(ASKED, max_size=8), st.integers(1, 30), st.integers(0, 30))
def test_every_prompt_is_in_a_tree_that_fits_or_in_paths(asked, row, most):
    grown = trees(asked, row)
    kept, alone = branched(grown, asked, most)
    assert all(len(tree.ids) <= most for tree in kept)
    together = [read[2:] for tree in (*kept, *alone) for read in tree.reads]
    assert sorted(together) == sorted(read[2:] for tree in grown for read in tree.reads)


def test_more_foretells_what_add_adds():
    first, second = Asked((1, 2), ((3, 4), (3, 5))), Asked((1, 2, 3), ((4, 4), (6,)))
    tree = tree_of(first)
    assert len(tree.ids) == 3  # 1, 2 and 3: nothing is read behind a last token
    expected = tree.more(second)
    before = len(tree.ids)
    tree.add(1, second)
    assert len(tree.ids) - before == expected == 1


@pytest.mark.parametrize("arch", ["llama", "qwen2", "gpt2"])
@pytest.mark.parametrize("most", [1, 60, 10_000])
def test_readings_do_not_depend_on_the_trees(arch, most, monkeypatch):
    backend, prompts = tiny_backend(arch), sample_prompts()
    alone = [backend.read([prompt], no_injection(backend.card))[0] for prompt in prompts]
    monkeypatch.setattr(answer, "CPU_ROW", most)
    together = backend.read(prompts, no_injection(backend.card))
    for one, other in zip(alone, together, strict=True):
        assert one == pytest.approx(other, abs=1e-4)


def test_prompts_that_begin_alike_share_their_beginning():
    backend, prompts = tiny_backend("llama"), sample_prompts()
    asked = ask(backend.engine().tokenizer, prompts)
    assert sum(len(tree.ids) for tree in trees(asked, 10_000)) < sum(one.length for one in asked)
