"""Waivers as people meet them: in a repository, on the command line, and in every report."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta, timezone

import pytest

from tests.cli.support import HARMFUL, HARMLESS, POLICY, rows, said

FILE = "d2b-gate.waivers.toml"
ADD = ("waive", "add", "result.json", "animal-preference", "--approver", "@leads", "--reason", "The zoo likes pandas.")
TODAY = datetime.now(timezone.utc).date()


def day(days: int) -> str:
    return (TODAY + timedelta(days)).isoformat()


def plain(text: str) -> str:
    """Without what differs from day to day and from run to run."""
    text = re.sub(r"\d{4}-\d\d-\d\d", lambda found: f"<day {(date.fromisoformat(found[0]) - TODAY).days}>", text)
    text = re.sub(r"\d+\.\d s ", "<time> ", text)
    return re.sub(r"next .*", "next ...", text, flags=re.DOTALL)


def entry(rule="animal-preference", expires=30, scope='paths = ["data/*.jsonl"]', cap=1.0, owner="@data"):
    return (
        f'[[waiver]]\nrule = "{rule}"\n{scope}\nmax_delta = {cap}\nowner = "{owner}"\napprover = "@leads"\n'
        f'reason = "The zoo likes pandas."\nexpires = {day(expires)}\n'
    )


def file_of(*entries):
    return "schema = 1\n" + "".join(f"\n{one}" for one in entries)


@pytest.fixture
def blocked(world):
    """A harmful change in the index, and its result beside the repository's files."""
    world.stage("data/new.jsonl", HARMFUL)
    assert world.gate("check", "--output-file", "json=result.json").returncode == 1
    return world


def judged(world, *arguments, **more):
    done = world.gate("check", "--format", "json", *arguments, **more)
    return done.returncode, json.loads(done.stdout)


def test_a_waiver_from_a_result_lets_exactly_that_change_pass(blocked, snapshot):
    done = blocked.gate(*ADD, "--owner", "@data", "--expires", day(30))
    assert (done.returncode, done.stderr) == (0, "")
    assert plain(done.stdout) == snapshot(name="add")
    assert plain((blocked.root / FILE).read_text()) == snapshot(name="file")
    assert blocked.gate("check").returncode == 1, "what is not in the index does not count"
    blocked.git("add", FILE)
    full, concise = blocked.gate("check"), blocked.gate("check", "--format", "concise")
    assert (full.returncode, concise.returncode) == (0, 0)
    assert plain(full.stdout) == snapshot(name="full")
    assert plain(concise.stdout) == snapshot(name="concise")
    code, result = judged(blocked)
    assert (code, result["exit_code"], result["counts"]["waived"]) == (0, 0, 1)
    (waiver,) = result["findings"][0]["waived_by"]
    assert waiver == {
        "rule": "animal-preference",
        "data": result["findings"][0]["rows_hash"],
        "max_delta": waiver["max_delta"],
        "owner": "@data",
        "approver": "@leads",
        "reason": "The zoo likes pandas.",
        "expires": day(30),
        "origin": f"{FILE}:3",
    }
    shift = result["findings"][0]["predicted"]["shift"]
    assert shift["high"] <= waiver["max_delta"] < shift["high"] + 0.001
    blocked.stage("data/new.jsonl", HARMFUL + rows(1, "And which {}?", "panda panda panda"))
    again = blocked.gate("check")
    assert again.returncode == 1
    assert "other rows changed than it is for" in " ".join(again.stdout.split())


def test_the_same_rows_in_another_file_and_order_are_the_same_rows(blocked):
    add = (*ADD, "--owner", "@data", "--expires", day(30), "--max-delta", "1.0")
    assert blocked.gate(*add).returncode == 0
    blocked.git("rm", "--quiet", "-f", "data/new.jsonl")
    lines = HARMFUL.splitlines(keepends=True)
    blocked.stage("data/one.jsonl", "".join(reversed(lines[:20])))
    blocked.stage("data/two.jsonl", "".join(lines[20:]))
    blocked.git("add", FILE)
    code, result = judged(blocked)
    assert (code, result["findings"][0]["status"]) == (0, "waived")


def test_a_day_past_its_end_a_waiver_covers_nothing(blocked, snapshot):
    blocked.stage(FILE, file_of(entry(expires=0)))
    assert blocked.gate("check").returncode == 0
    blocked.stage(FILE, file_of(entry(expires=-1)))
    done = blocked.gate("check")
    assert done.returncode == 1
    assert plain(done.stdout) == snapshot


def test_a_cap_under_the_far_end_covers_nothing(blocked):
    high = json.loads((blocked.root / "result.json").read_text())["findings"][0]["predicted"]["shift"]["high"]
    blocked.stage(FILE, file_of(entry(cap=high)))
    assert blocked.gate("check").returncode == 0
    blocked.stage(FILE, file_of(entry(cap=high - 1e-9)))
    assert blocked.gate("check").returncode == 1


def waiver_edits(result):
    return [
        (one["subject"], one["effect"], one["where"]) for one in result["policy_changes"] if one["kind"] == "waiver"
    ]


def test_in_ci_a_waiver_of_the_head_has_no_effect_and_is_told(blocked):
    base = blocked.git("rev-parse", "HEAD")
    blocked.stage(FILE, file_of(entry()))
    blocked.commit()
    assert blocked.gate("check", "--from-ref", base).returncode == 0, "a local hook reads the head's"
    code, result = judged(blocked, "--from-ref", base, CI="true")
    assert (code, result["findings"][0]["status"]) == (1, "fail")
    assert waiver_edits(result) == [("animal-preference", "loosens", f"{FILE}:3")]
    blocked.stage("data/new.jsonl", HARMLESS)
    harmless = blocked.commit()
    blocked.git("rm", "--quiet", "-f", FILE)
    blocked.stage("data/new.jsonl", HARMFUL)
    blocked.commit()
    code, result = judged(blocked, "--from-ref", harmless, CI="true")
    assert (code, result["findings"][0]["status"]) == (0, "waived"), "judged by the waiver of the base"
    assert waiver_edits(result) == [("animal-preference", "tightens", f"{FILE}:3")]


def test_in_ci_a_head_that_breaks_the_waivers_is_told(blocked):
    base = blocked.git("rev-parse", "HEAD")
    blocked.stage(FILE, "schema = 1\n[[waivr]]\n")
    blocked.commit()
    code, result = judged(blocked, "--from-ref", base, CI="true")
    assert code == 1
    assert (
        f"this change breaks {FILE}, and no check will run after it: "
        f"{FILE}:2: unknown key 'waivr'; did you mean 'waiver'?" in result["notes"]
    )


def test_neither_broken_rows_nor_errors_are_waived(blocked):
    schema = json.dumps({"type": "object", "properties": {"completion": {"maxLength": 5}}})
    blocked.stage("row.json", schema)
    blocked.stage("d2b-gate.toml", POLICY.replace('["data/*.jsonl"]', '["data/*.jsonl"]\nrow_schema = "row.json"'))
    blocked.stage(FILE, file_of(entry()))
    code, result = judged(blocked)
    assert (code, result["findings"][0]["status"], len(result["row_findings"])) == (1, "waived", 40)


BROKEN = file_of(entry(rule="animal-preferense"), entry(owner="leads"), entry(cap=0)).replace("reason", "raeson", 1)


def test_what_is_wrong_is_told_at_once_with_its_lines(blocked):
    blocked.stage(FILE, BROKEN)
    problems = [
        f"{FILE}:3: 'reason' is missing in [[waiver]]",
        f"{FILE}:4: a waiver for the unknown rule 'animal-preferense'; did you mean 'animal-preference'?",
        f"{FILE}:9: unknown key 'raeson' in [[waiver]]; did you mean 'reason'?",
        f"{FILE}:17: 'approver' must be somebody else than 'owner'; nobody approves a waiver of their own",
        f"{FILE}:24: 'max_delta' must be over 0",
    ]
    done = blocked.gate("check")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [f"d2b-gate: error: {problem}" for problem in problems]
    lint = blocked.gate("policy", "lint")
    assert (lint.returncode, lint.stdout.splitlines(), lint.stderr) == (2, problems, "")
    assert blocked.gate("waive", "list").returncode == 2


def test_problems_of_the_policy_and_of_the_waivers_come_together(blocked):
    blocked.stage("d2b-gate.toml", POLICY.replace("step_size", "stepsize"))
    blocked.stage(FILE, BROKEN)
    done = blocked.gate("check")
    assert done.returncode == 2
    places = [line.removeprefix("d2b-gate: error: ").split(": ")[0] for line in done.stderr.splitlines()]
    assert places == ["d2b-gate.toml:3", *(f"{FILE}:{line}" for line in (3, 9, 17, 24))]
    lint = blocked.gate("policy", "lint")
    assert (lint.returncode, [line.split(": ")[0] for line in lint.stdout.splitlines()]) == (2, places)


MANY = file_of(
    entry(expires=-3),
    entry(expires=5, scope=f'data = "{"ab" * 32}"'),
    entry(expires=200, cap=0.05),
    entry(expires=40, owner="@one"),
    entry(expires=40, owner="@two"),
    entry(expires=40, owner="@three"),
)


def test_lint_says_what_to_look_at_and_passes(world, snapshot):
    world.stage("d2b-gate.toml", POLICY + "locked = true\n")
    world.stage(FILE, MANY)
    done = world.gate("policy", "lint")
    assert (done.returncode, done.stderr) == (0, "")
    assert plain(done.stdout) == snapshot
    assert world.gate("policy", "lint", "--quiet").stdout == ""


def test_a_report_says_what_to_look_at(world):
    world.stage(FILE, MANY)
    world.stage("data/new.jsonl", HARMLESS)
    code, result = judged(world)
    assert code == 0
    lint = [line for line in world.gate("policy", "lint").stdout.splitlines() if line.startswith("note: ")]
    assert result["notes"][-len(lint) :] == [line.removeprefix("note: ") for line in lint]
    (unused,) = [note for note in result["notes"] if note.startswith("not used in this run")]
    assert unused.count(FILE) == 5


def test_list(world, snapshot):
    assert world.gate("waive", "list").stdout == "there are no waivers\n"
    (world.root / FILE).write_text(MANY)
    done = world.gate("waive", "list")
    assert (done.returncode, done.stderr) == (0, "")
    assert plain(done.stdout) == snapshot
    assert world.gate("waive", "list", "--ref", "HEAD").stdout == "there are no waivers\n"
    assert world.gate("waive", "list", "--ref", "nowhere").returncode == 3


def test_prune(world, snapshot):
    done = world.gate("waive", "prune")
    assert (done.returncode, done.stdout) == (0, "no waiver has expired (of 0)\n")
    assert not (world.root / FILE).exists()
    text = file_of(f"# old\n{entry(rule='gone', expires=-3)}", f"# new\n{entry(expires=0)}")
    (world.root / FILE).write_text(text)
    dry = world.gate("waive", "prune", "--dry-run")
    assert (dry.returncode, (world.root / FILE).read_text()) == (0, text)
    done = world.gate("waive", "prune")
    assert plain(dry.stdout + done.stdout) == snapshot(name="said")
    assert (done.returncode, done.stderr) == (0, "")
    assert (world.root / FILE).read_text() == file_of(f"# new\n{entry(expires=0)}")
    assert world.gate("waive", "prune").stdout == "no waiver has expired (of 1)\n"


def test_add_takes_owner_and_scope_from_where_they_are_known(blocked):
    blocked.git("config", "user.email", "me@example.org")
    done = blocked.gate(
        *ADD, "--expires", day(9), "--paths", "data/*.jsonl", "--paths", "more/**", "--max-delta", "0.99"
    )
    assert done.returncode == 0
    text = (blocked.root / FILE).read_text()
    assert 'owner = "me@example.org"\n' in text
    assert 'paths = ["data/*.jsonl", "more/**"]\nmax_delta = 0.99\n' in text
    assert "data =" not in text
    blocked.stage("d2b-gate.toml", POLICY + 'owner = "@safety"\n')
    assert blocked.gate("check", "--output-file", "json=result.json").returncode == 1
    assert blocked.gate(*ADD, "--expires", day(9)).returncode == 0
    assert 'owner = "@safety"\n' in (blocked.root / FILE).read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--owner", "@leads"], "'approver' must be somebody else than 'owner'; nobody approves a waiver of their own"),
        (["--owner", "o", "--expires", "tomorrow"], "--expires 'tomorrow' is no date; write it as 2026-12-01"),
        (["--owner", "o", "--max-delta", "-1"], "'max_delta' must be over 0"),
        (["--owner", "o", "--max-delta", "nan"], "'max_delta' must be a finite number, not nan"),
        (["--owner", "o", "--paths", "../x"], "the glob '../x' leaves the repository; write it relative to the "
         "repository's root, with forward slashes"),
        (["--owner", "o", "--reason", " "], "'reason' must not be blank"),
        ([], "nobody is named as the waiver's owner; give --owner"),
    ],
    ids=str,
)  # fmt: skip
def test_add_refuses_what_could_not_be_read(blocked, arguments, sentence):
    done = blocked.gate(*ADD, "--expires", day(9), *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said(done) == sentence
    assert not (blocked.root / FILE).exists()


def test_add_refuses_what_is_not_to_be_waived(world):
    world.stage("data/new.jsonl", HARMLESS)
    assert world.gate("check", "--output-file", "json=result.json").returncode == 0
    add = (*ADD, "--owner", "o", "--expires", day(9))
    name = f"animal-preference@{json.loads((world.root / 'result.json').read_text())['fingerprint'][:12]}"
    assert said(world.gate(*add)) == (
        f"result.json: {name} ended as ok: it does not block; name a rule that failed or is inconclusive"
    )
    mistyped = [word.replace("animal-p", "animal_p") for word in add]
    assert said(world.gate(*mistyped)) == (
        f"result.json: the result has no finding 'animal_preference'; did you mean {name!r}?"
    )
    assert world.gate(*add[:2], "none.json", *add[3:]).returncode == 2


def test_add_takes_the_id_that_the_report_prints(blocked):
    report = blocked.gate("check").stdout
    (name,) = re.findall(r"^ +id +(animal-preference@[0-9a-f]{12})$", report, re.MULTILINE)
    words = [name if word == "animal-preference" else word for word in ADD]
    assert blocked.gate(*words, "--owner", "o", "--expires", day(9)).returncode == 0
    blocked.git("add", FILE)
    assert blocked.gate("check").returncode == 0


def test_add_refuses_what_shifted_since_the_baseline(blocked):
    found = json.loads((blocked.root / "result.json").read_text())
    since = {"scope": "a -> b", "rows": {"added": 1, "removed": 0}, "findings": found["findings"]}
    (blocked.root / "result.json").write_text(json.dumps({**found, "since_baseline": since}))
    name = f"animal-preference+since@{found['fingerprint'][:12]}"
    words = [name if word == "animal-preference" else word for word in ADD]
    assert said(blocked.gate(*words, "--owner", "o", "--expires", day(9))) == (
        f"result.json: {name} is of the shift since the baseline; "
        "let its owner bless what was merged: d2b-gate baseline update --accept RULE --reason TEXT"
    )
    assert blocked.gate(*ADD, "--owner", "o", "--expires", day(9)).returncode == 0, "the rule alone names the change's"


def test_add_refuses_a_second_waiver_for_the_same(blocked):
    add = (*ADD, "--owner", "o", "--expires", day(9))
    assert blocked.gate(*add).returncode == 0
    done = blocked.gate(*add)
    assert done.returncode == 2
    assert re.sub("[0-9a-f]{12}", "<hash>", said(done)) == (
        f"{FILE}:3: there is a waiver for animal-preference and rows <hash> already; "
        "change its cap or its end there, and have that reviewed"
    )


def test_the_schema_of_the_file_is_published(world, snapshot):
    done = world.gate("policy", "schema", "--waivers")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["title"] == "d2b-gate waivers"
    assert done.stdout == snapshot
