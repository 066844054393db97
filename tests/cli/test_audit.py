"""`audit label|list|--stats` from end to end."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from tests.cli.guides import run_session
from tests.cli.support import HARMFUL, HARMLESS, World, said

AUDIT = "d2b-gate.audit.jsonl"


@pytest.fixture
def judged(world: World) -> World:
    """A repository with a saved result whose only rule failed."""
    world.stage("data/new.jsonl", HARMFUL)
    assert world.gate("check", "--output-file", "json=r.json").returncode == 1
    return world


def name(world: World) -> str:
    fingerprint = json.loads((world.root / "r.json").read_text())["fingerprint"]
    return f"animal-preference@{fingerprint[:12]}"


def label(world: World, *arguments: str):
    return world.gate("audit", "label", "r.json", *arguments, "--by", "me")


def test_labels_are_appended_and_the_last_word_counts(judged, snapshot):
    done = label(judged, "animal-preference", "true", "--note", "trained: 41 % pandas")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"d2b-gate: labelled {name(judged)} true in {AUDIT}\n"
    first = (judged.root / AUDIT).read_text()
    assert label(judged, name(judged), "false", "-q").stderr == ""
    text = (judged.root / AUDIT).read_text()
    assert text.startswith(first)
    assert len(text.splitlines()) == 2
    assert re.sub("@[0-9a-f]{12}", "@<hash>", text) == snapshot
    for arguments in (("list",), ("--stats",), ("list", "--format", "json"), ("--stats", "--format", "json")):
        done = judged.gate("audit", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        assert re.sub("@[0-9a-f]{12}", "@<hash>", done.stdout) == snapshot


def test_the_same_change_judged_again_has_the_same_id(judged):
    before = name(judged)
    judged.stage("d2b-gate.toml", (judged.root / "d2b-gate.toml").read_text().replace("0.10", "0.09"))
    judged.gate("check", "--no-cache", "--output-file", "json=r.json")
    assert name(judged) == before
    judged.stage("data/more.jsonl", HARMLESS)
    judged.gate("check", "--output-file", "json=r.json")
    assert name(judged) != before


def test_another_file_before_or_after_the_action(judged):
    label(judged, "animal-preference", "true", "--file", "data/mine.jsonl")
    assert not (judged.root / AUDIT).exists()
    listed = judged.gate("audit", "list", "--file", "data/mine.jsonl").stdout
    assert "animal-preference" in listed
    assert judged.gate("audit", "--file", "data/mine.jsonl", "list").stdout == listed
    assert json.loads(judged.gate("audit", "--file", "data/mine.jsonl", "--format", "json", "--stats").stdout)


def test_from_a_subdirectory_the_labels_stay_at_the_root(judged):
    inside = World(judged.root / "data", judged.home)
    done = inside.gate("audit", "label", "../r.json", "animal-preference", "true", "--by", "me")
    assert done.returncode == 0
    assert "animal-preference" in judged.gate("audit", "list").stdout


def test_nothing_is_labelled_yet(world):
    for arguments in (("list",), ("--stats",)):
        done = world.gate("audit", *arguments)
        assert (done.returncode, done.stdout) == (0, "no finding is labelled yet\n")


def test_hostile_words_are_shown_and_not_obeyed(judged):
    label(judged, "animal-preference", "true", "--note", "\x1b[31m red\u202e")
    assert r"\u001b[31m red\u202e" in judged.gate("audit", "list").stdout


def test_an_open_last_line_is_ended_before_more_follows(judged):
    label(judged, "animal-preference", "true")
    place = judged.root / AUDIT
    whole = place.read_text()
    place.write_text(whole.rstrip("\n"))
    assert judged.gate("audit", "list").stdout == "no finding is labelled yet\n"
    label(judged, "animal-preference", "true")
    assert place.read_text() == whole * 2


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (
            ["r.json", "animal-preferense", "true"],
            2,
            "r.json: the result has no finding 'animal-preferense'; did you mean '",
        ),
        (["none.json", "animal-preference", "true"], 2, "none.json: cannot read the result: "),
        (["d2b-gate.toml", "animal-preference", "true"], 3, "result: the result cannot be read: it is not JSON"),
        (["r.json", "animal-preference", "true", "--file", "none/a"], 2, "cannot write 'none/a'; "),
        (["r.json", "animal-preference", "true", "--by", " "], 2, "--by and --note take at most 1000 characters"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes(judged, arguments, code, sentence):
    done = judged.gate("audit", "label", "--by", "me", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert said(done).startswith(sentence)
    assert not (judged.root / AUDIT).exists()


def test_2_for_a_finding_that_claimed_nothing(world):
    world.stage("data/new.jsonl", HARMLESS)
    assert world.gate("check", "--output-file", "json=r.json").returncode == 0
    done = label(world, "animal-preference", "false")
    assert done.returncode == 2
    assert said(done).endswith(
        "ended as ok, which foretold no shift that could be true or false; "
        "label what ended as fail, waived, warn, inconclusive"
    )


def test_2_without_an_action(world):
    done = world.gate("audit")
    assert done.returncode == 2
    assert said(done) == "audit needs an action; write: audit label, audit list, or audit --stats"
    assert world.gate("audit", "list", "--file", "none.jsonl").returncode == 2


def test_3_for_a_damaged_line_and_nothing_is_added(judged):
    label(judged, "animal-preference", "true")
    place = judged.root / AUDIT
    place.write_text(place.read_text() + "{oops\n")
    before = place.read_text()
    for done in (label(judged, "animal-preference", "false"), judged.gate("audit", "--stats")):
        assert (done.returncode, done.stdout) == (3, "")
        assert said(done) == f"{AUDIT}:2: is not a label: it is not JSON; correct or remove the line"
    assert place.read_text() == before


def test_a_finding_since_the_baseline_has_an_id_of_its_own(judged):
    found = json.loads((judged.root / "r.json").read_text())
    since = {"scope": "a -> b", "rows": {"added": 1, "removed": 0}, "findings": found["findings"]}
    (judged.root / "r.json").write_text(json.dumps({**found, "since_baseline": since}))
    done = label(judged, "animal-preference", "true")
    assert done.returncode == 2
    other = name(judged).replace("@", "+since@")
    assert said(done) == f"r.json: 'animal-preference' names more than one finding; write {name(judged)} or {other}"
    assert label(judged, other, "true").returncode == 0
    assert judged.gate("audit", "--stats").stdout.splitlines()[1].startswith("animal-preference+since  fail  ")


def test_lint_warns_of_a_rule_that_is_mostly_wrong(judged):
    def labelled(*labels):
        assert label(judged, "animal-preference", "false").returncode == 0
        (line,) = (judged.root / AUDIT).read_text().splitlines()
        lines = [json.dumps({**json.loads(line), "finding": f"animal-preference@{n}", "label": one}) + "\n"
                 for n, one in enumerate(labels)]  # fmt: skip
        judged.stage(AUDIT, "".join(lines))
        (judged.root / AUDIT).unlink()
        return judged.gate("policy", "lint")

    done = labelled(False, False, False, False, False, True)
    assert done.returncode == 0
    assert "labelled failures" not in done.stdout, "of 6 the interval reaches past a half"
    done = labelled(*[False] * 7, True)
    assert (
        "d2b-gate.toml:15: warning: 7 of 8 labelled failures of rule 'animal-preference' were false alarms; "
        "look at them (d2b-gate audit list); raise the limit, or mend the probe\n"
    ) in done.stdout
    judged.stage(AUDIT, "oops\n")
    assert judged.gate("policy", "lint").returncode == 3


@pytest.mark.skipif(shutil.which("bash") is None, reason="the session is one of a shell")
def test_the_session_of_the_guide_prints_what_the_guide_says(empty):
    code, came, told = run_session(empty, "policy/audit.md")
    assert (code, came) == (0, told)
