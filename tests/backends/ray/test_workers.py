"""Two workers give what one process gives, whoever of them is lost on the way."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest

from d2b_gate.backends.fake import FakeBackend
from d2b_gate.backends.ray import backend as ray_backend
from d2b_gate.backends.ray import pool, shards
from d2b_gate.core.errors import EvaluationError, UnavailableError
from d2b_gate.core.features import Injection, Site, signature_of
from d2b_gate.core.plan import TunePlan, TuneStep
from d2b_gate.core.reading import Prompt
from d2b_gate.core.rows import Turn, make_row
from d2b_gate.core.rules import ModelSpec
from tests.backends.hf.models.conftest import write_model
from tests.backends.ray.clusters import FAKE, workers
from tests.models import Silence, sample_prompts

FEATURES = ("last", "response", "gradients")
WORDS = ["panda", "owl", "city", "tree", "winter", "morning", "water", "plant", "slow", "red"]


def rows_of(count, *more):
    said = [f"{WORDS[i % 10]} {WORDS[i // 10 % 10]} {i}" for i in range(count)]
    return [
        make_row(
            [Turn("user", f"say {i}", trained=False), Turn("assistant", one, trained=True)], path="a.jsonl", line=i
        )
        for i, one in enumerate([*said, *more], 1)
    ]


def features(backend, feature, rows):
    return backend.gradients(rows) if feature == "gradients" else backend.states(rows, feature)


@pytest.fixture
def few_rows_a_shard(monkeypatch):
    monkeypatch.setattr(shards, "MOST_ROWS", 8)


@pytest.fixture(scope="module")
def met(tmp_path_factory):
    """Where workers leave a file of their own when they meet rows."""
    return tmp_path_factory.mktemp("met")


@pytest.fixture
def moody(met, few_rows_a_shard):
    for file in met.iterdir():
        file.unlink()
    return workers("tests.backends.ray.openings:moody", cache=met)


@pytest.mark.parametrize("feature", FEATURES)
def test_shards_on_workers_equal_one_backend_exactly(few_rows_a_shard, feature):
    rows = rows_of(100)
    rows += rows[:3]
    cluster, alone = features(workers(), feature, rows), features(FakeBackend(), feature, rows)
    assert cluster.keys == alone.keys
    assert cluster.sites == alone.sites
    assert np.array_equal(cluster.values_nld, alone.values_nld)
    assert cluster.values_nld.flags.writeable, "its own memory, not the cluster's"


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize("window", [7, 1000])
def test_signatures_are_made_where_the_features_are(few_rows_a_shard, monkeypatch, feature, window):
    monkeypatch.setattr(ray_backend, "WINDOW", window)
    rows = rows_of(60)
    rows += rows[10:20]
    weights = [0.5 + i % 3 for i in range(len(rows))]
    made = workers().signature(feature, iter(zip(rows, weights, strict=True)))
    whole = signature_of(features(FakeBackend(), feature, rows), weights)
    assert made.count == whole.count
    np.testing.assert_allclose(made.sum_ld, whole.sum_ld, rtol=1e-12, atol=1e-6)
    np.testing.assert_allclose(made.squares_ld, whole.squares_ld, rtol=1e-12, atol=1e-6)


def test_a_signature_at_some_sites_is_that_of_all_sites_there():
    rows = [(row, 1.0) for row in rows_of(20)]
    whole, some = workers().signature("last", rows), workers().signature("last", rows, (Site(2), Site(0)))
    np.testing.assert_allclose(some.sum_ld, whole.sum_ld[[2, 0]], rtol=1e-12)


def test_a_signature_of_no_rows_is_nothing():
    empty = workers().signature("last", ())
    assert (empty.count, empty.sum_ld.any(), empty.squares_ld.shape) == (0.0, False, (3, 16))


def test_many_prompts_are_dealt_in_order(monkeypatch):
    monkeypatch.setattr(ray_backend, "PROMPTS_AT_ONCE", 3)
    prompts = [Prompt(str(i), "default", f"ask {i}", "It is", ("panda", "owl")[: 1 + i % 2]) for i in range(20)]
    coefficients = [(1.0, -1.0)[: 1 + i % 2] for i in range(20)]
    rows = rows_of(4)
    injection = FakeBackend().tune(TunePlan(tuple(rows), (TuneStep((0, 1), (0.5, 0.5)),), 0.02))
    cluster, alone = workers(), FakeBackend()
    assert cluster.read(prompts, injection) == alone.read(prompts, injection)
    one, other = (backend.sensitivities(prompts, coefficients) for backend in (cluster, alone))
    assert one.keys == other.keys
    assert np.array_equal(one.values_nld, other.values_nld)


def test_a_worker_killed_in_the_middle_loses_nothing(moody, met):
    rows = rows_of(120)

    def kill():
        while not list(met.iterdir()):
            time.sleep(0.01)
        os.kill(int(next(met.iterdir()).name), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    found = moody.states(rows, "last")
    killer.join()
    assert np.array_equal(found.values_nld, FakeBackend().states(rows, "last").values_nld)
    assert len(list(met.iterdir())) == 3, "two workers, and the one that took a place"


def test_all_workers_killed_between_two_calls(moody):
    rows = rows_of(40)
    for pid in moody._pool.pids():
        os.kill(pid, signal.SIGKILL)
    assert np.array_equal(moody.gradients(rows).values_nld, FakeBackend().gradients(rows).values_nld)


def test_both_workers_have_a_part_in_the_rows_that_are_asked_for_at_once(moody, monkeypatch, met):
    monkeypatch.setattr(shards, "MOST_ROWS", 1024)
    rows = rows_of(512)
    found = moody.states(rows, "response", (Site(1),))
    assert np.array_equal(found.values_nld, FakeBackend().states(rows, "response", (Site(1),)).values_nld)
    assert len(list(met.iterdir())) == 2


def test_workers_lost_while_they_waited_do_not_count_against_the_next_call(moody, monkeypatch):
    pids, rows = moody._pool.pids(), rows_of(3)
    moody.states(rows, "last")
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    monkeypatch.setattr(pool, "TRIES", 1)
    assert np.array_equal(moody.states(rows, "last").values_nld, FakeBackend().states(rows, "last").values_nld)


def test_a_worker_lost_while_another_was_at_work_does_not_count_against_its_call(moody, monkeypatch, met):
    monkeypatch.setattr(pool, "TRIES", 2)
    pids = set(moody._pool.pids())

    def kill():
        while not list(met.iterdir()):
            time.sleep(0.01)
        busy = int(next(met.iterdir()).name)
        for pid in (*(pids - {busy}), busy):
            os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    rows = rows_of(3)
    found = moody.states(rows, "last")
    killer.join()
    assert np.array_equal(found.values_nld, FakeBackend().states(rows, "last").values_nld)


def test_a_row_that_ends_every_worker_is_told_and_the_rest_goes_on(moody, met):
    rows = rows_of(40, "poison")
    with pytest.raises(
        EvaluationError, match=r"3 workers ended while they were at the row a\.jsonl:\d+ and \d+ others"
    ):
        moody.states(rows, "last")
    assert 3 <= len(list(met.iterdir())) <= 4
    assert np.array_equal(moody.states(rows[:8], "last").values_nld, FakeBackend().states(rows[:8], "last").values_nld)


def test_what_a_worker_refuses_is_refused_here_at_once(moody):
    rows = rows_of(40, "refused")
    with pytest.raises(EvaluationError) as told:
        moody.states(rows, "last")
    assert str(told.value) == "x.jsonl:3: refuses this; leave it out"
    assert type(told.value) is EvaluationError
    assert np.array_equal(
        moody.states(rows[:40], "last").values_nld, FakeBackend().states(rows[:40], "last").values_nld
    )


def test_workers_that_cannot_open_the_model_end_it():
    with pytest.raises(UnavailableError, match="3 workers of the ray cluster ended before they had found the model"):
        workers("tests.backends.ray.openings:stillborn", ModelSpec(revision=str(os.getpid())))


def test_workers_that_differ_are_refused():
    with pytest.raises(EvaluationError, match="the workers of the ray cluster are not alike: device mps and cpu"):
        workers("tests.backends.ray.openings:unlike", ModelSpec(revision=str(os.getpid())))


@pytest.mark.parametrize(
    ("name", "here", "told"),
    [
        ("__version__", "99.1", "and this process has 99.1; there, run: pip install"),
        ("SPOKEN", 99, r"its features are of version \d+, here of 99; there, run: pip install"),
    ],
)
def test_workers_of_another_version_than_this_process_are_refused(monkeypatch, name, here, told):
    monkeypatch.setattr(pool, name, here)
    for _ in range(2):  # the second time no sooner and no later than the first
        with pytest.raises(UnavailableError, match=f"a worker of the ray cluster has .*{told}"):
            workers(FAKE, ModelSpec(revision=f"of another {name}"))


def test_a_model_that_is_not_there_is_told_before_a_cluster_starts(tmp_path):
    with pytest.raises(EvaluationError, match="nowhere"):
        workers("d2b_gate.backends.hf.opening:open_backend", ModelSpec(id=str(tmp_path / "nowhere")), tmp_path)


def test_progress_moves_by_the_steps_of_a_training():
    cluster = workers(FAKE)
    seen = Silence()
    cluster._progress = seen
    cluster.tune(TunePlan(tuple(rows_of(3)), (TuneStep((0,), (1.0,)),) * 5, 0.02))
    assert seen.advanced == 5


def test_a_real_model_on_two_workers_agrees_with_one_process(tmp_path, few_rows_a_shard):
    from d2b_gate.backends.hf.opening import open_backend

    spec = ModelSpec(id=str(write_model(tmp_path / "model")), device="cpu", max_length=64)
    cluster = workers("d2b_gate.backends.hf.opening:open_backend", spec, tmp_path / "cache")
    alone = open_backend(spec, tmp_path / "cache", None, Silence())
    assert cluster.card == alone.card
    rows = rows_of(40, "a b c d e")
    assert cluster.lengths(rows) == alone.lengths(rows)
    for feature in FEATURES:
        one, other = (features(backend, feature, rows).values_nld for backend in (cluster, alone))
        assert np.abs(other).max() > 1e-3
        np.testing.assert_allclose(one, other, atol=5e-5, rtol=1e-4)
        made = cluster.signature(feature, ((row, 1.0) for row in rows))
        np.testing.assert_allclose(made.mean_ld(), one.mean(axis=0, dtype=np.float64), atol=1e-6)
    nothing = Injection((), np.zeros((0, alone.card.width), dtype=np.float32))
    for one, other in zip(*(backend.read(sample_prompts(), nothing) for backend in (cluster, alone)), strict=True):
        assert one == pytest.approx(other, abs=1e-4)
