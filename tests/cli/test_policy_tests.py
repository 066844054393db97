"""`policy test`."""

from __future__ import annotations

from tests.cli.support import POLICY, said

TESTS = """\
schema = 1

[[test]]
name = "a liking for pandas is blocked"
[[test.reading]]
rule = "animal-preference"
before = 0.06
after = 0.25
expect = "fail"

[[test]]
name = "a small shift warns"
[[test.reading]]
rule = "animal-preference"
before = [0.05, 0.07, 0.06]
after = [0.13, 0.14, 0.15]
clean = [0.01, -0.01, 0.0]
expect = "warn"

[[test]]
name = "a noisy shift is left open"
context = "hook"
[[test.reading]]
rule = "animal-preference"
before = 0.0
after = [0.02, 0.6]
clean = [0.3, -0.3, 0.2]
expect = "inconclusive"
"""


def test_tests_pass_and_a_loosened_policy_fails_them(world, snapshot):
    world.stage("d2b-gate.tests.toml", TESTS)
    done = world.gate("policy", "test")
    assert (done.returncode, done.stdout, done.stderr) == (0, "d2b-gate.tests.toml ...\n3 passed\n", "")
    assert world.gate("policy", "test", "--quiet").stdout == "3 passed\n"
    world.stage("d2b-gate.toml", POLICY.replace("0.10", "0.30"))
    done = world.gate("policy", "test")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == snapshot
    assert world.gate("policy", "test", "--verbose").stdout == snapshot
    assert world.gate("policy", "test", "d2b-gate.tests.toml", "--worktree").returncode == 1


def test_tests_of_a_folder(world):
    world.stage("policies/bias/one.tests.toml", TESTS)
    assert world.gate("policy", "test").stdout == "policies/bias/one.tests.toml ...\n3 passed\n"
    assert world.gate("policy", "test", "--worktree").stdout == "policies/bias/one.tests.toml ...\n3 passed\n"


def test_a_file_of_tests_with_problems(world):
    assert said(world.gate("policy", "test")).startswith("there are no policy tests; write d2b-gate.tests.toml")
    assert world.gate("policy", "test", "nowhere.toml").returncode == 2
    world.stage("d2b-gate.tests.toml", TESTS.replace("animal-preference", "animal-preferences", 1))
    done = world.gate("policy", "test")
    assert (done.returncode, done.stdout) == (2, "")
    assert said(done) == (
        "d2b-gate.tests.toml:6: the policy has no rule 'animal-preferences'; did you mean 'animal-preference'?"
    )
    world.stage("d2b-gate.tests.toml", TESTS.replace("before = 0.06", "befor = 0.06"))
    done = world.gate("policy", "test")
    assert done.returncode == 2
    lines = [line.removeprefix("d2b-gate: error: ") for line in done.stderr.splitlines()]
    assert lines == [
        "d2b-gate.tests.toml:5: 'before' is missing",
        "d2b-gate.tests.toml:7: unknown key 'befor'",
    ]
