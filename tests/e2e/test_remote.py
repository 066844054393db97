"""A check whose model runs elsewhere: the same verdict as here, whatever happens on the way."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time

import pytest

from tests.cli.support import BASE, HARMFUL, HARMLESS, POLICY, World, environment, interruptible
from tests.e2e.serving import TOKEN, serving

TRAINED = POLICY.replace('step_size = 0.04\npredictor = "mdf-tuned"', 'predictor = "proxy-lora"')
REMOTE = TRAINED.replace('kind = "fake"', 'kind = "remote"')


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path / "repository", tmp_path)
    made.root.mkdir()
    made.git("init", "--quiet", "--initial-branch=main")
    made.stage("d2b-gate.toml", TRAINED)
    made.stage("data/base.jsonl", BASE)
    made.commit()
    return made


def judged(world, policy, **settings):
    """Exit code and saved result of the staged change under a policy."""
    world.stage("d2b-gate.toml", policy)
    done = world.gate("check", "--format", "json", **settings)
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout) if done.stdout.strip() else {}, done.stderr


def compared(result):
    """What must be the same wherever the model runs: all but times, cache hits, the policy's own digest and notes."""
    left_out = ("seconds", "notes", "rows", "fingerprint", "provenance")
    kept = {key: value for key, value in result.items() if key not in left_out}
    kept["provenance"] = {key: value for key, value in result["provenance"].items() if key != "policy_digest"}
    for finding in kept["findings"]:
        del finding["rule"]["origin"]  # a line further down, for the policy says where the server is
    return kept


def at(server):
    return REMOTE.replace('kind = "remote"', f'kind = "remote"\nurl = "{server.url}"')


@pytest.mark.parametrize("change", [HARMLESS, HARMFUL], ids=["harmless", "harmful"])
@pytest.mark.parametrize("predictor", ["proxy-lora", "mdf-tuned", "mdf-gradient"])
def test_the_verdict_is_that_of_a_local_run(world, tmp_path, change, predictor):
    world.stage("data/new.jsonl", change)
    plain = TRAINED.replace("proxy-lora", predictor)
    code, local, _ = judged(world, plain, D2B_GATE_CACHE_DIR=str(tmp_path / "here"))
    with serving(tmp_path / "box") as server:
        policy = at(server).replace("proxy-lora", predictor)
        elsewhere = judged(world, policy, D2B_GATE_CACHE_DIR=str(tmp_path / "light"), **server.settings)
    assert elsewhere[0] == code
    assert compared(elsewhere[1]) == compared(local)
    assert any(server.url in note and "rows" in note for note in elsewhere[1]["notes"]), "every report says where"
    assert f"rows of the change are sent to {server.url}" in elsewhere[2]


def test_where_rows_go_is_said_once_and_a_known_verdict_asks_for_no_work(world, tmp_path):
    world.stage("data/new.jsonl", HARMLESS)
    with serving(tmp_path / "box") as server:
        first = judged(world, at(server), **server.settings)
        work = server.log().count("event=job")
        again = judged(world, at(server), **server.settings)
        assert "are sent to" in first[2]
        assert "are sent to" not in again[2]
        assert again[0] == first[0]
        assert again[1]["findings"] == first[1]["findings"]
        assert server.log().count("event=job") == work


def test_a_flag_chooses_the_users_own_remote(world, tmp_path):
    world.stage("data/new.jsonl", HARMFUL)
    with serving(tmp_path / "box") as server:
        done = world.gate("check", "--backend", "remote", "--format", "concise", **server.settings)
    assert done.returncode == 1, done.stderr


def test_a_cloned_repository_does_not_choose_where_rows_go(world, tmp_path):
    world.stage("data/new.jsonl", HARMFUL)
    with serving(tmp_path / "box") as server, serving(tmp_path / "thief") as thief:
        before = thief.log()
        code, result, said = judged(world, at(thief), **server.settings)
        assert (code, result) == (2, {})
        assert "nothing of yours binds a token to that address; nothing was sent" in said
        assert TOKEN not in said
        assert thief.log() == before


@pytest.mark.parametrize(("unavailable", "code"), [("fail", 3), ("defer", 0)])
def test_a_server_that_is_away_is_as_the_policy_says(world, tmp_path, unavailable, code):
    world.stage("data/new.jsonl", HARMFUL)
    policy = REMOTE.replace('kind = "remote"', 'kind = "remote"\nurl = "http://127.0.0.1:9"')
    world.stage("d2b-gate.toml", f'\non_unavailable = {{ hook = "{unavailable}" }}\n'.join(policy.partition("\n")[::2]))
    own = {"D2B_GATE_REMOTE_URL": "http://127.0.0.1:9", "D2B_GATE_REMOTE_TOKEN": TOKEN}
    done = world.gate("hook", "pre-commit", "--remote", **own)
    assert done.returncode == code, done.stderr
    assert "http://127.0.0.1:9 gave no answer (no connection)" in done.stderr


def test_killed_in_mid_job_and_started_again_the_client_gets_its_verdict(world, tmp_path):
    world.stage("data/new.jsonl", HARMFUL)
    code, local, _ = judged(world, TRAINED, D2B_GATE_CACHE_DIR=str(tmp_path / "here"))
    with serving(tmp_path / "box", 0.05) as server:
        outcome = []
        client = threading.Thread(target=lambda: outcome.append(judged(world, at(server), **server.settings)))
        client.start()
        for _ in range(3):
            wait_for_a_job(server)
            server.kill()
            time.sleep(0.3)
            server.start()
        client.join(timeout=120)
    assert outcome, server.log()
    assert outcome[0][0] == code, outcome[0][2]
    assert compared(outcome[0][1]) == compared(local)


def wait_for_a_job(server):
    """Until the server has begun a training, which takes its time."""
    seen = server.log().count("begun to train")
    deadline = time.monotonic() + 60
    while server.log().count("begun to train") == seen:
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.02)
    time.sleep(0.2)


def test_an_interrupted_client_cancels_its_job(world, tmp_path):
    world.stage("data/new.jsonl", HARMFUL)
    with serving(tmp_path / "box", 0.2) as server:
        world.stage("d2b-gate.toml", at(server))
        with interruptible():
            client = subprocess.Popen(
                [sys.executable, "-m", "d2b_gate", "check"],
                cwd=world.root,
                env=environment(world.home, **server.settings),
                stderr=subprocess.PIPE,
                text=True,
            )
        wait_for_a_job(server)
        client.send_signal(signal.SIGINT)
        _, said = client.communicate(timeout=30)
        assert client.returncode == 130, said
        deadline = time.monotonic() + 30  # the fake model is interrupted between two trainings, not within one
        while "state=cancelled" not in server.log():
            assert time.monotonic() < deadline, server.log()
            time.sleep(0.05)
