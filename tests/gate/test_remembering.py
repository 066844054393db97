"""A commit pays for its own rows, and what is remembered of the others is what would be computed of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from d2b_gate.backends.fake import BLOCKS, CARD, WIDTH, FakeBackend
from d2b_gate.core.features import Site, States, signature_of
from d2b_gate.core.packing import packed, unpacked
from d2b_gate.core.ports import RowLength
from d2b_gate.core.rows import RowRef, Turn, diff_rows, make_row
from d2b_gate.gate import remembering
from d2b_gate.gate.caching import CachingBackend
from d2b_gate.store.memory import MemoryStore
from d2b_gate.store.sqlite import open_store
from tests.gate.harness import Quiet


@dataclass
class Told:
    """A backend that tells which rows it computed; ``values`` are far from what half floats hold."""

    card: object = CARD
    computed: list[str] = field(default_factory=list)

    def states(self, rows, pooling, sites=()):
        every = self._told(rows, {"last": 1.0, "response": 1e4}[pooling])
        if not sites:
            return every
        return States(every.keys, tuple(sites), every.values_nld[:, [site.block for site in sites]])

    def gradients(self, rows):
        return self._told(rows, 1e-7)

    def lengths(self, rows):
        self.computed += [row.key for row in rows]
        return tuple(RowLength(len(row.key), int(row.key[:3], 16), int(row.key[3:6], 16)) for row in rows)

    def _told(self, rows, size):
        self.computed += [row.key for row in rows]
        values = [np.random.default_rng(int(row.key[:8], 16)).normal(size=(BLOCKS, WIDTH)) for row in rows]
        values_nld = (np.array(values).reshape(-1, BLOCKS, WIDTH) * size).astype(np.float32)
        values_nld[:, :, 3] *= 25_000
        return States(tuple(row.key for row in rows), CARD.sites, values_nld)


def row(number):
    return make_row([Turn("user", f"question {number}", False), Turn("assistant", f"answer {number}", True)])


VERBS = {
    "last": lambda backend, rows: backend.states(rows, "last").values_nld,
    "response": lambda backend, rows: backend.states(rows, "response").values_nld,
    "gradients": lambda backend, rows: backend.gradients(rows).values_nld,
    "lengths": lambda backend, rows: np.array([(one.tokens, one.trained, one.cut) for one in backend.lengths(rows)]),
}


@pytest.fixture(params=["disk", "memory"])
def store(request, tmp_path):
    opened = open_store(tmp_path / "store") if request.param == "disk" else MemoryStore()
    yield opened
    opened.close()


@pytest.mark.parametrize("verb", VERBS)
def test_ten_changed_rows_are_ten_computed_rows(tmp_path, verb):
    told = Told()
    ask = VERBS[verb]
    rows = [row(i) for i in range(20_000)]
    first = open_store(tmp_path)
    before = ask(CachingBackend(told, first, Quiet()), rows)
    assert sorted(told.computed) == sorted(one.key for one in rows)
    first.close()
    told.computed.clear()
    changed = [*rows[:7000], *(row(-i) for i in range(1, 11)), *rows[7010:]]
    after = ask(CachingBackend(told, open_store(tmp_path), Quiet()), changed)
    assert told.computed == [one.key for one in changed[7000:7010]]
    assert (after[:7000] == before[:7000]).all()
    assert (after[7010:] == before[7010:]).all()
    assert (after[7000:7010] != before[7000:7010]).any(axis=tuple(range(1, before.ndim))).all()


@pytest.mark.parametrize("verb", VERBS)
def test_what_is_computed_and_what_is_recalled_are_the_same_numbers_in_any_order_and_company(store, verb):
    ask = VERBS[verb]
    rows = [row(i) for i in range(40)]
    backend = CachingBackend(Told(), store, Quiet())
    fresh = ask(backend, rows)
    again = ask(CachingBackend(Told(), store, Quiet()), rows[::-1])[::-1]
    assert again.tobytes() == fresh.tobytes()
    mixed = ask(backend, [row(99), *rows[5:9], row(98)])
    assert mixed[1:5].tobytes() == fresh[5:9].tobytes()
    without = ask(CachingBackend(Told(), MemoryStore(), Quiet()), rows)
    assert without.tobytes() == fresh.tobytes()


@pytest.mark.parametrize("verb", VERBS)
def test_a_row_that_occurs_often_is_computed_once_and_stands_at_each_place(store, verb):
    told = Told()
    rows = [row(1), row(2), row(1), row(3), row(2), row(1)]
    found = VERBS[verb](CachingBackend(told, store, Quiet()), rows)
    assert told.computed == [row(1).key, row(2).key, row(3).key]
    for i, j in ((0, 2), (0, 5), (1, 4)):
        assert (found[i] == found[j]).all()
    assert (found[0] != found[1]).any()
    states = CachingBackend(told, store, Quiet()).states(rows, "last")
    assert states.keys == tuple(one.key for one in rows)


def test_kinds_models_and_versions_are_kept_apart(store, monkeypatch):
    told = Told()
    rows = [row(i) for i in range(3)]
    backend = CachingBackend(told, store, Quiet())
    for verb in VERBS.values():
        verb(backend, rows)
    assert len(told.computed) == 4 * 3
    backend.gradients(rows)
    assert len(told.computed) == 4 * 3
    for name, value in (("revision", "2"), ("tokenizer_hash", "t"), ("dtype", "bfloat16"), ("max_length", 7)):
        other = Told(card=_changed(name, value), computed=told.computed)
        CachingBackend(other, store, Quiet()).gradients(rows)
    assert len(told.computed) == 4 * 3 + 4 * 3
    monkeypatch.setattr("d2b_gate.gate.caching.PACKING_VERSION", 99)
    CachingBackend(told, store, Quiet()).gradients(rows)
    assert len(told.computed) == 4 * 3 + 5 * 3


def _changed(name, value):
    return replace(CARD, **{name: value})


def test_states_of_some_sites_are_kept_apart_from_those_of_all(store):
    told = Told()
    rows = [row(i) for i in range(6)]
    backend = CachingBackend(told, store, Quiet())
    every_nld = backend.states(rows, "last").values_nld
    for blocks in ((1,), (2,), (0, 2)):
        sites = tuple(Site(block) for block in blocks)
        told.computed.clear()
        some = [backend.states(rows, "last", sites) for _ in range(2)]
        assert len(told.computed) == len(rows)
        for one in some:
            assert one.sites == sites
            assert one.values_nld.tobytes() == every_nld[:, list(blocks)].tobytes()


def test_through_two_stores_nothing_is_rounded_twice():
    """As where a server remembers what it computes, and its client what it is told."""
    rows = [row(i) for i in range(30)]
    one = CachingBackend(Told(), MemoryStore(), Quiet())
    two = CachingBackend(CachingBackend(Told(), MemoryStore(), Quiet()), MemoryStore(), Quiet())
    assert one.gradients(rows).values_nld.tobytes() == two.gradients(rows).values_nld.tobytes()


def test_features_are_the_backends_rounded_as_packing_says(store):
    rows = [row(i) for i in range(5)]
    exact_nld = FakeBackend().states(rows, "response").values_nld
    found_nld = CachingBackend(FakeBackend(), store, Quiet()).states(rows, "response").values_nld
    assert found_nld.tobytes() == unpacked(packed(exact_nld), BLOCKS, WIDTH).tobytes()


def test_content_of_another_size_is_computed_anew(store):
    told = Told()
    rows = [row(i) for i in range(4)]
    backend = CachingBackend(told, store, Quiet())
    for verb in VERBS.values():
        before = verb(backend, rows)
        told.computed.clear()
        for kind in _kinds(backend):
            store.put_features(kind, {rows[1].key: b"odd"})
        assert (verb(backend, rows) == before).all()
        assert told.computed == [rows[1].key]
        told.computed.clear()


def _kinds(backend):
    return [backend._features(kind).kind for kind in ("lengths", "gradients", "states-last", "states-response")]


def test_no_rows_ask_nothing(store):
    told = Told()
    backend = CachingBackend(told, store, Quiet())
    assert backend.states([], "last").values_nld.shape == (0, BLOCKS, WIDTH)
    assert backend.lengths([]) == ()
    assert told.computed == []


def test_a_run_that_ends_early_loses_one_portion_at_most(store, monkeypatch):
    monkeypatch.setattr(remembering, "COMPUTED_AT_ONCE", 10)

    class Dying(Told):
        def gradients(self, rows):
            if len(self.computed) >= 30:
                raise KeyboardInterrupt
            return super().gradients(rows)

    rows = [row(i) for i in range(50)]
    with pytest.raises(KeyboardInterrupt):
        CachingBackend(Dying(), store, Quiet()).gradients(rows)
    told = Told()
    CachingBackend(told, store, Quiet()).gradients(rows)
    assert told.computed == [one.key for one in rows[30:]]


# edit histories

EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 30), st.integers(0, 2)),
        st.tuples(st.just("remove"), st.integers(0, 99), st.just(0)),
        st.tuples(st.just("duplicate"), st.integers(0, 99), st.integers(0, 2)),
        st.tuples(st.just("move"), st.integers(0, 99), st.integers(0, 2)),
        st.tuples(st.just("change"), st.integers(0, 99), st.integers(0, 30)),
        st.tuples(st.just("split"), st.integers(0, 2), st.integers(0, 99)),
        st.tuples(st.just("shuffle"), st.integers(0, 2), st.integers(0, 99)),
    ),
    max_size=6,
)


def edited(files, edit):
    """Files (lists of row numbers) after one edit."""
    what, first, second = edit
    files = [list(file) for file in files]
    places = [(i, j) for i, file in enumerate(files) for j in range(len(file))]
    i, j = places[first % len(places)] if places else (0, 0)
    if what == "add":
        files[second].append(first)
    elif what == "split":
        cut = second % (len(files[first]) + 1)
        files.append(files[first][cut:])
        files[first] = files[first][:cut]
    elif what == "shuffle":
        files[first] = np.random.default_rng(second).permutation(files[first]).astype(int).tolist()
    elif places:
        number = files[i][j]
        if what != "duplicate":
            del files[i][j]
        if what in ("duplicate", "move"):
            files[second].insert(0, number)
        if what == "change":
            files[i].insert(j, 100 + second)
    return files


def refs_of(files):
    return [RowRef(row(n).key, f"{i}.jsonl", j + 1) for i, file in enumerate(files) for j, n in enumerate(file)]


def summed(backend, refs, by_key, verb):
    rows = [by_key[ref.key] for ref in refs]
    states = backend.gradients(rows) if verb == "gradients" else backend.states(rows, verb)
    return signature_of(states, [1.0] * len(rows))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(EDITS, max_size=3), min_size=1, max_size=4), st.sampled_from(["last", "response", "gradients"])
)
def test_a_signature_that_is_updated_equals_one_that_is_computed_in_full(tmp_path_factory, history, verb):
    root = tmp_path_factory.mktemp("store")
    by_key = {row(n).key: row(n) for n in (*range(31), *range(100, 131))}
    told, files = Told(), [[0, 1, 2, 3, 4, 5], [5, 6, 7], []]
    backend = CachingBackend(told, open_store(root), Quiet())
    kept = summed(backend, refs_of(files), by_key, verb)
    seen = {ref.key for ref in refs_of(files)}
    for commit in history:
        before = refs_of(files)
        for edits in commit:
            for edit in edits:
                files = edited(files, edit)
        diff = diff_rows(before, refs_of(files))
        told.computed.clear()
        backend = CachingBackend(told, open_store(root), Quiet())
        kept = kept + summed(backend, diff.added, by_key, verb) - summed(backend, diff.removed, by_key, verb)
        assert set(told.computed) == {ref.key for ref in diff.added} - seen
        assert len(told.computed) == len(set(told.computed))
        seen |= {ref.key for ref in diff.added}
        told.computed.clear()
        full = summed(CachingBackend(told, open_store(root), Quiet()), refs_of(files), by_key, verb)
        assert told.computed == []
        _assert_close(kept, full)


def _assert_close(found, full):
    assert found.count == full.count
    if full.count:
        size_ld = np.sqrt(full.squares_ld / full.count)  # of each coordinate: what 1e-6 is relative to
        assert (np.abs(found.mean_ld() - full.mean_ld()) <= 1e-6 * size_ld).all()
        assert (np.abs(found.squares_ld - full.squares_ld) <= 1e-6 * full.squares_ld).all()
