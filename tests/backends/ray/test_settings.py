"""The user's environment: which cluster rows may go to, and what each worker gets."""

from __future__ import annotations

from unittest import mock

import pytest

from d2b_gate.backends.ray import pool
from d2b_gate.backends.ray.settings import ADDRESS, CPUS, GPUS, WORKERS, Crew, address_of, crew_of, local_cores
from d2b_gate.backends.ray.worker import Recipe
from d2b_gate.core.errors import UsageError
from d2b_gate.core.rules import ModelSpec


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in (ADDRESS, WORKERS, CPUS, GPUS):
        monkeypatch.delenv(name, raising=False)


def test_without_an_address_the_cluster_is_local_or_the_user_s_own(monkeypatch):
    assert address_of("") == address_of("local") == "local"
    monkeypatch.setenv(ADDRESS, "ray://box:10001")
    assert address_of("") == address_of("ray://box:10001") == "ray://box:10001"
    assert address_of("local") == "local"


@pytest.mark.parametrize("own", ["", "ray://box:10002", "local"])
def test_a_policy_alone_does_not_say_where_rows_go(monkeypatch, own):
    monkeypatch.setenv(ADDRESS, own)
    for url in ("ray://box:10001", "auto", "ray://box\x1b[31m:1"):
        with pytest.raises(
            UsageError, match=r"nothing was sent; if rows may go there, set D2B_GATE_RAY_ADDRESS"
        ) as told:
            address_of(url)
        assert "\x1b" not in str(told.value)


@pytest.mark.parametrize(
    "own",
    [
        *("box", "ray://box", "http://box:1", "ray://me@box:1", "ray://box:1?x"),
        *("ray://head:99999", "ray://head:0", "ray://[abc:10001", "ray://:10001", "ray://head..lan:10001"),
        *("ray://head:\N{ARABIC-INDIC DIGIT ONE}", "ray://" + "a" * 64 + ":10001"),
    ],
)
def test_an_address_that_is_none(monkeypatch, own):
    monkeypatch.setenv(ADDRESS, own)
    for url in ("", own):
        with pytest.raises(UsageError, match=r"D2B_GATE_RAY_ADDRESS=\S+ is no address; write ray://host:port or auto"):
            address_of(url)


@pytest.mark.parametrize("own", ["ray://head:10001", "ray://[::1]:65535", "ray://10.0.0.7:1", "auto", "local"])
def test_an_address_that_is_one(monkeypatch, own):
    monkeypatch.setenv(ADDRESS, own)
    assert address_of("") == own


@pytest.mark.parametrize(
    ("cpus", "gpus", "said", "crew"),
    [
        ([2], 0, {}, Crew(1, 2, 0)),
        ([32], 0, {}, Crew(4, 8, 0)),
        ([32], 0, {WORKERS: "2"}, Crew(2, 16, 0)),
        ([20], 0, {}, Crew(2, 10, 0)),
        ([2], 0, {WORKERS: "8", CPUS: "1"}, Crew(8, 1, 0)),
        ([96], 8, {}, Crew(8, 1, 1)),
        ([96], 8, {GPUS: "4"}, Crew(2, 1, 4)),
        ([96], 8, {GPUS: "0"}, Crew(12, 8, 0)),
        ([96], 8, {WORKERS: "3"}, Crew(3, 1, 1)),
        ([1], 1, {GPUS: "2"}, Crew(1, 1, 2)),
        ([], 0, {}, Crew(1, 1, 0)),
        ([0], 0, {}, Crew(1, 1, 0)),
        ([4, 4, 4, 4], 0, {}, Crew(4, 4, 0)),
        ([4, 4, 4, 4], 0, {WORKERS: "2"}, Crew(2, 4, 0)),
        ([4, 4, 4, 4], 0, {WORKERS: "5"}, Crew(5, 2, 0)),
        ([4, 4, 4, 4], 0, {WORKERS: "40"}, Crew(40, 1, 0)),
        ([0, 4, 3], 0, {}, Crew(1, 4, 0)),
        ([12, 6], 0, {WORKERS: "2"}, Crew(2, 6, 0)),
    ],
)
def test_a_worker_per_gpu_or_per_few_cores(monkeypatch, cpus, gpus, said, crew):
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    assert crew_of(cpus, gpus) == crew


def test_workers_are_asked_for_that_a_machine_can_hold(monkeypatch):
    ray = mock.MagicMock()
    four = [{"Alive": True, "Resources": {"CPU": 4.0, "memory": 1e9}}] * 4
    ray.nodes.return_value = [*four, {"Alive": True, "Resources": {}}, {"Alive": False, "Resources": {"CPU": 64.0}}]
    ray.cluster_resources.return_value = {"CPU": 16.0}
    monkeypatch.setattr(pool, "connect", lambda address: ray)
    pool.Pool("auto", Recipe(ModelSpec(), ""))._start()
    hired = ray.remote.return_value.options
    assert hired.call_args.kwargs == {"num_cpus": 4, "num_gpus": 0, "max_restarts": 0}
    assert hired.return_value.remote.call_count == 4


@pytest.mark.parametrize("wrong", ["0", "-1", "two", "1.5"])
def test_numbers_are_checked(monkeypatch, wrong):
    monkeypatch.setenv(WORKERS, wrong)
    with pytest.raises(UsageError, match=r"D2B_GATE_RAY_WORKERS=\S+ is no whole number of at least 1"):
        crew_of([2], 0)


def test_more_workers_than_cores_are_counted_as_cores(monkeypatch):
    assert local_cores() == {}
    monkeypatch.setenv(WORKERS, "100000")
    assert local_cores() == {"num_cpus": 100000}
