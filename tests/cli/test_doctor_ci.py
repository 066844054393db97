"""`doctor --ci`: workflows that use the action, held against what the guide asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "ci" / "github"
GATE = (EXAMPLES / "gate.yml").read_text(encoding="utf-8")
OWNERS = "*.md @writers\n/d2b-gate.toml @safety\nd2b-gate.waivers.toml @safety\n.github/ @safety  # and this\n"


def look(world, workflow=GATE, owners=OWNERS):
    folder = world.root / ".github" / "workflows"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gate.yml").write_text(workflow)
    (folder.parent / "CODEOWNERS").write_text(owners)
    done = world.gate("doctor", "--ci")
    assert done.stderr == ""
    return done


def found(done, state):
    return [(line[9:21].strip(), line[21:]) for line in done.stdout.splitlines() if line.startswith(state)]


def test_the_examples_are_as_they_should_be(world):
    done = look(world)
    assert (done.returncode, found(done, "missing")) == (0, [])
    assert [name for name, _ in found(done, "ok")] == ["workflow", "owners"]
    assert [name for name, _ in found(done, "optional")] == ["unseen"]
    quiet = world.gate("doctor", "--ci", "--quiet")
    assert quiet.stdout.startswith("optional unseen") and quiet.returncode == 0


CHANGES = {
    "a trigger that is refused": ("  pull_request:\n", "  pull_request_target:\n", "events"),
    "no condition for forks": ("    if: github.event_name != 'pull_request' ||", "    # ||", "forks"),
    "a danger": (
        "          python: /opt",
        "          dangerously-evaluate-forks: true\n          python: /opt",
        "forks",
    ),
    "a tag": ("actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2", "actions/checkout@v4", "pins"),
    "a branch of the action": ("action@1111111111111111111111111111111111111111", "action@main", "pins"),
    "the checkout's own action": (
        "your-org/d2b-gate/action@1111111111111111111111111111111111111111",
        "./action",
        "pins",
    ),
    "a checkout of the head": ("fetch-depth: 2", "ref: ${{ github.event.pull_request.head.sha }}", "checkout"),
    "a verdict that counts for nothing": ("timeout-minutes: 90", "continue-on-error: true", "verdict"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_unsafe_is_told_with_a_remedy(world, name):
    old, new, expected = CHANGES[name]
    assert old in GATE
    done = look(world, GATE.replace(old, new))
    assert done.returncode == 2
    told = found(done, "missing")
    assert {one for one, _ in told} == {expected}
    assert all(".github/workflows/gate.yml" in text and "; " in text for _, text in told)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("permissions: write-all", "write-all"),
        ("permissions: {contents: write}", "contents"),
        ("permissions: {contents: read, id-token: write}", "id-token"),
        ("", "default"),
    ],
)
def test_more_rights_than_the_job_needs(world, given, named):
    narrow = "    permissions:\n      contents: read\n"
    head, _, tail = GATE.replace("permissions: {}\n", "", 1).partition("  evaluate:\n")
    done = look(world, head + "  evaluate:\n" + tail.replace(narrow, f"    {given}\n", 1))
    [(name, text)] = found(done, "missing")
    assert name == "permissions" and f"({'the repository' if named == 'default' else ''}" in text and named in text


def test_what_is_good_to_have(world):
    text = (
        GATE.replace("  merge_group:\n", "").replace("fetch-depth: 2", "lfs: true").replace("timeout-minutes: 90", "")
    )
    done = look(world, text.replace("persist-credentials: false", "show-progress: false"))
    assert done.returncode == 0
    assert {name for name, _ in found(done, "optional")} == {"events", "checkout", "timeout", "unseen"}
    for word in ("merge_group", "one commit", "token in the clone", ".lfsconfig"):
        assert word in done.stdout


@pytest.mark.parametrize(
    ("owners", "unowned"),
    [
        ("* @all\n", ""),
        ("* @all\n/d2b-gate.toml\n", "d2b-gate.toml"),
        ("*.toml @safety\n", ".github/workflows/gate.yml"),
        ("/.github/workflows/ @ci\n*.toml @safety\n", ""),
        ("workflows @ci\n*.toml @safety\n", ""),
        ("/workflows @ci\n*.toml @safety\n", ".github/workflows/gate.yml"),
        ("# * @all\n", "d2b-gate.toml, d2b-gate.waivers.toml, .github/workflows/gate.yml"),
    ],
)
def test_who_has_to_agree(world, owners, unowned):
    told = found(look(world, owners=owners), "missing")
    assert [text.partition(";")[0] for _, text in told] == ([f"nobody owns {unowned}"] if unowned else [])


@pytest.mark.parametrize(
    "text", ["a: [", "- 1\n", "jobs: 3\n", "jobs: {a: {steps: [1, {uses: 2}]}}\n", "[" * 5000, "\x00"]
)
def test_a_file_that_is_no_workflow(world, text):
    done = look(world, text)
    assert done.returncode == 2
    assert "none in .github/workflows uses the action" in done.stdout


def test_no_workflow_no_owner_and_no_repository(world):
    done = world.gate("doctor", "--ci")
    assert [name for name, _ in found(done, "missing")] == ["workflows", "owners"]
    world.root = world.home
    assert world.gate("doctor", "--ci").returncode == 2
