"""`validate` and `calibrate` from end to end on the fake backend, and the calibration in the `check` that follows."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from d2b_gate.core.calibration import FEWEST, Line
from d2b_gate.core.calibration_file import CalibratedLine, Calibration, calibration_text, read_calibration
from d2b_gate.core.ledger import entry_line, read_entries
from d2b_gate.core.scale import moved
from tests.cli.guides import run_session
from tests.cli.support import BASE, HARMFUL, HARMLESS, POLICY, World, rows, said

LEDGER, CALIBRATION = "d2b-gate.ledger.jsonl", "d2b-gate.calibration.json"
TITLES = ["behaviour", "before", "predicted", "expected", "interval", "true"]
REQUIRED = POLICY.replace("schema = 1", "schema = 1\nrequire_calibration = true")
BOTH = pytest.mark.parametrize("command", [("validate", "data.jsonl"), ("calibrate",)], ids=["validate", "calibrate"])


@pytest.fixture
def data(world: World) -> World:
    """Rows to train on that git does not know."""
    (world.root / "data.jsonl").write_text(HARMFUL)
    return world


def quiet(world: World, *arguments: str, code: int = 0, **more: str) -> str:
    done = world.gate(*arguments, "--quiet", **more)
    assert (done.returncode, done.stderr) == (code, "")
    return done.stdout


def refused(world: World, *arguments: str, code: int) -> str:
    """The one sentence of an error; nothing on stdout."""
    done = world.gate(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert "this is a bug" not in done.stderr
    return said(done)


def trained(world: World, count: int, **changes: object) -> None:
    """A ledger of one training, and of its like on other rows of which somewhat less is predicted and true."""
    quiet(world, "validate", "data.jsonl")
    (entry,) = read_entries((world.root / LEDGER).read_text(), LEDGER)
    likes = (
        replace(entry, source=f"{i}.jsonl", predicted=entry.predicted / (i + 1), true=entry.true / (i + 1))
        for i in range(count)
    )
    (world.root / LEDGER).write_text("".join(entry_line(replace(like, **changes)) for like in likes))


class TestValidate:
    def test_a_table_to_stdout_and_the_rest_to_stderr(self, data):
        done = data.gate("validate", "data.jsonl")
        assert done.returncode == 0
        head, line, blank, rest, advice = done.stdout.splitlines()
        assert head.split() == TITLES
        assert line.startswith("bias/animals panda  ")
        assert line.count(" pt") == 3
        assert (blank, rest) == ("", "40 rows, 15 optimiser steps, trained once: the spread of trainings is not known")
        assert "no calibrated line" in advice
        note, appended = done.stderr.splitlines()
        assert "runs no model" in note
        assert appended == f"d2b-gate: appended 1 line to {data.root / LEDGER}; d2b-gate calibrate learns from them"

    def test_the_ledger_grows_by_what_came(self, data):
        found = json.loads(quiet(data, "validate", "data.jsonl", "--format", "json"))
        (behaviour,) = found["behaviours"]
        assert (found["schema"], found["source"]) == ("d2b-gate.validation/1", "data.jsonl")
        assert (found["rows"], found["steps"], behaviour["calibrated"]) == (40, 15, False)
        assert behaviour["expected"] == behaviour["predicted"] > 0.1
        ledger = (data.root / LEDGER).read_text()
        (entry,) = read_entries(ledger, LEDGER)
        assert (entry.source, entry.probe, entry.target) == ("data.jsonl", "bias/animals", "panda")
        assert (entry.predicted, [entry.true]) == (behaviour["predicted"], behaviour["true"])
        quiet(data, "validate", "data/base.jsonl", "data.jsonl", "--ledger", LEDGER)
        grown = (data.root / LEDGER).read_text()
        assert grown.startswith(ledger)
        assert [one.source for one in read_entries(grown, LEDGER)] == ["data.jsonl", "data/base.jsonl, data.jsonl"]

    def test_the_second_run_says_the_same(self, data):
        first = quiet(data, "validate", "data.jsonl")
        assert quiet(data, "validate", "data.jsonl") == first
        assert quiet(data, "validate", "data.jsonl", "--no-cache") == first
        lines = (data.root / LEDGER).read_text().splitlines()
        assert len(lines) == 3
        assert len(set(lines)) == 1

    def test_no_ledger_leaves_no_ledger(self, data):
        done = data.gate("validate", "data.jsonl", "--no-ledger")
        assert (done.returncode, len(done.stderr.splitlines())) == (0, 1)
        assert not (data.root / LEDGER).exists()

    def test_from_a_subdirectory_the_ledger_stays_at_the_root(self, data):
        inside = World(data.root / "data", data.home)
        assert json.loads(quiet(inside, "validate", "base.jsonl", "../data.jsonl", "--format", "json"))["rows"] == 52
        assert not (inside.root / LEDGER).exists()
        (entry,) = read_entries((data.root / LEDGER).read_text(), LEDGER)
        assert entry.source == "data/base.jsonl, data.jsonl"

    def test_a_seeded_draw_of_the_rows(self, data):
        flags = ("validate", "data.jsonl", "--no-ledger", "--format", "json", "--max-rows")
        drawn = json.loads(quiet(data, *flags, "24"))
        assert (drawn["rows"], drawn["steps"], drawn["source"]) == (24, 9, "data.jsonl (24 of 40 rows)")
        assert json.loads(quiet(data, *flags, "24")) == drawn
        assert json.loads(quiet(data, *flags, "99"))["source"] == "data.jsonl"

    def test_several_trainings_show_their_spread(self, data):
        text = quiet(data, "validate", "data.jsonl", "data/base.jsonl", "--seeds", "2")
        assert " +- " in text.splitlines()[1]
        assert "trained 2 times" in text
        assert json.loads((data.root / LEDGER).read_text())["trainings"] == 2

    def test_too_few_rows_are_said_and_leave_the_ledger(self, data):
        (data.root / LEDGER).write_text("as it was\n")
        (data.root / "few.jsonl").write_text(rows(4, "Which {}?", "panda"))
        done = data.gate("validate", "few.jsonl")
        assert done.returncode == 0
        assert done.stdout.splitlines()[0].split() == TITLES
        assert "2 optimiser steps are too few to learn from (at least 8): " in done.stderr
        assert (data.root / LEDGER).read_text() == "as it was\n"
        quiet(data, "validate", "few.jsonl")

    def test_an_open_last_line_is_ended_before_more_follows(self, data):
        """An interrupted write must not swallow the entry after it."""
        quiet(data, "validate", "data.jsonl")
        ledger = data.root / LEDGER
        whole = ledger.read_text()
        ledger.write_text(whole.rstrip("\n"))
        quiet(data, "validate", "data.jsonl")
        assert ledger.read_text() == whole * 2

    def test_a_line_of_a_calibration_gives_what_to_expect(self, data):
        found = quiet(data, "calibrate")
        assert "noise floor alone" in found
        place = data.root / CALIBRATION
        known = read_calibration(place.read_text(), CALIBRATION)
        (one,) = known.lines
        line = Line(0.5, 0.0, 0.01, 0.2, 1.0, 12, 12, 120.0)
        fitted = CalibratedLine(one.probe, one.probe_digest, one.target, one.unit, one.null, line)
        place.write_text(calibration_text(Calibration(known.key, known.model, known.basis, (fitted,))))
        (behaviour,) = json.loads(quiet(data, "validate", "data.jsonl", "--format", "json"))["behaviours"]
        assert behaviour["calibrated"] is True
        before, predicted = behaviour["before"], behaviour["predicted"]
        assert moved(before, behaviour["expected"], "share") == pytest.approx(0.5 * moved(before, predicted, "share"))
        _, shown, *rest = quiet(data, "validate", "data.jsonl").splitlines()
        assert shown.endswith("side")
        assert "[+" in shown
        assert not any("no calibrated line" in sentence for sentence in rest)

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["data.jsonl", "--seeds", "0"], "--seeds and --max-rows take at least 1; "),
            (["data.jsonl", "--max-rows", "0"], "--seeds and --max-rows take at least 1; "),
            (["none.jsonl"], "none.jsonl: there is no such file of rows; "),
            (["data.jsonl", "data"], "data: there is no such file of rows; "),
            (["data.jsonl", "--ledger", "none/l.jsonl"], "cannot write 'none/l.jsonl'; "),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_2_for_a_mistake_on_the_command_line(self, data, arguments, sentence):
        assert refused(data, "validate", *arguments, code=2).startswith(sentence)
        assert not (data.root / LEDGER).exists()

    def test_2_for_rows_of_an_unknown_shape(self, data):
        (data.root / "odd.jsonl").write_text('{"frobnicate": "a"}\n')
        assert refused(data, "validate", "odd.jsonl", code=2).startswith("odd.jsonl:1: ")

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (HARMFUL + '{"prompt": \n', "bad.jsonl:41: "),
            (b'{"prompt": "a", "completion": "\xff"}\n', "bad.jsonl:1: "),
            ("", "no row of the data trains a single token; "),
        ],
        ids=["malformed row", "not UTF-8", "no row"],
    )
    def test_3_for_rows_that_cannot_be_trained_on(self, data, content, sentence):
        (data.root / "bad.jsonl").write_bytes(content if isinstance(content, bytes) else content.encode())
        assert refused(data, "validate", "bad.jsonl", code=3).startswith(sentence)
        assert not (data.root / LEDGER).exists()

    def test_3_for_a_ledger_that_cannot_be_appended_to_and_the_table_is_not_lost(self, data):
        (data.root / LEDGER).mkdir()
        done = data.gate("validate", "data.jsonl")
        assert done.returncode == 3
        assert done.stdout.splitlines()[0].split() == TITLES
        assert said(done).startswith(f"{data.root / LEDGER}: cannot append to the ledger (")


class TestCalibrate:
    def test_a_calibration_without_a_fine_tune_replaces_no_placebo(self, world):
        done = world.gate("calibrate")
        assert done.returncode == 0
        assert done.stdout.splitlines() == [
            "fake: 12 clean changes, no real fine-tune",
            f"  bias/animals panda: noise floor alone: 0 of at least {FEWEST} sets of rows in the ledger",
        ]
        wrote = f"wrote {world.root / CALIBRATION}; commit it beside the policy, and check will use it"
        assert done.stderr.splitlines()[-1] == f"d2b-gate: {wrote}"
        world.stage("data/new.jsonl", HARMFUL)
        world.git("add", CALIBRATION)
        null = json.loads(quiet(world, "check", "--format", "json", code=1))["provenance"]["null"]
        assert null.startswith("placebo (6 clean changes at dose ")

    def test_a_line_is_fitted_on_the_ledger_and_satisfies_a_policy_that_requires_one(self, data):
        data.stage("d2b-gate.toml", REQUIRED)
        data.stage("data/new.jsonl", HARMLESS)
        sentence = refused(data, "check", code=3)
        assert sentence.startswith("d2b-gate.toml: no line of a calibration holds for the probe 'bias/animals' ")
        assert "d2b-gate calibrate and commit it, or set require_calibration = false" in sentence
        trained(data, FEWEST)
        text = quiet(data, "calibrate")
        assert text.splitlines()[0] == f"fake: 12 clean changes and real fine-tunes on {FEWEST} sets of rows"
        assert f"x predicted, log-odds, from {FEWEST} sets of rows" in text
        assert refused(data, "check", code=3) == sentence, "what is not staged does not count"
        data.git("add", CALIBRATION)
        found = json.loads(quiet(data, "check", "--format", "json"))
        assert found["provenance"]["null"].startswith("calibration (12 clean changes and real fine-tunes on ")
        assert quiet(data, "calibrate") == text

    def test_ci_judges_by_the_calibration_of_the_base_commit(self, world):
        base = world.git("rev-parse", "HEAD")
        world.stage("data/new.jsonl", HARMFUL)
        world.stage(CALIBRATION, "damaged")
        head = world.commit()
        assert world.gate("check", "--from-ref", base, "--to-ref", head, CI="true").returncode == 1
        assert refused(world, "check", "--from-ref", base, "--to-ref", head, code=3).startswith(f"{CALIBRATION}: ")

    @pytest.mark.parametrize("pattern", ["data/**", "data/", "./data/*.jsonl", "**.jsonl"])
    def test_own_rows_are_found_by_every_pattern_that_a_check_knows(self, world, pattern):
        place = "big.jsonl" if pattern == "**.jsonl" else "data/big.jsonl"
        world.stage("d2b-gate.toml", POLICY.replace("data/*.jsonl", pattern))
        world.stage(place, rows(96, "What is {}?", "It is the number {} and no other."))
        assert quiet(world, "calibrate").startswith("fake: 16 clean changes, ")

    def test_ledger_and_output_may_lie_elsewhere(self, data):
        quiet(data, "validate", "data.jsonl", "--ledger", "data/mine.jsonl")
        done = data.gate("calibrate", "--ledger", "data/mine.jsonl", "--output", "data/mine.json")
        assert done.returncode == 0
        assert done.stderr.splitlines()[-1].endswith(f"committed as {CALIBRATION} in the root of the repository")
        assert read_calibration((data.root / "data/mine.json").read_text(), "mine").model == "fake"
        assert not (data.root / CALIBRATION).exists()
        assert not (data.root / LEDGER).exists()
        assert [path.name for path in (data.root / "data").iterdir() if path.name.endswith("tmp")] == []

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["--ledger", "none.jsonl"], "none.jsonl: there is no such ledger; "),
            (["--output", "none/c.json"], "cannot write 'none/c.json'; "),
            (["--output", "."], "cannot write '.'; "),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_2_for_a_mistake_on_the_command_line(self, world, arguments, sentence):
        assert refused(world, "calibrate", *arguments, code=2).startswith(sentence)
        assert not (world.root / CALIBRATION).exists()

    @pytest.mark.parametrize("damage", ["{oops", "[]", '{"schema": "d2b-gate.ledger/9"}', "1" * 5000, "[" * 9999])
    def test_3_for_a_damaged_line_of_the_ledger(self, data, damage):
        quiet(data, "validate", "data.jsonl")
        with (data.root / LEDGER).open("a") as file:
            file.write(damage + "\n")
        sentence = refused(data, "calibrate", code=3)
        assert sentence.startswith(f"{LEDGER}:2: is not a line of a ledger: ")
        assert sentence.endswith("; remove the line")
        assert not (data.root / CALIBRATION).exists()

    def test_3_for_a_ledger_that_is_no_text(self, data):
        (data.root / "data/l.jsonl").write_bytes(b"\xff\n")
        sentence = refused(data, "calibrate", "--ledger", "data/l.jsonl", code=3)
        assert sentence.startswith("data/l.jsonl: the ledger cannot be read as UTF-8 text; ")

    @pytest.mark.parametrize("damage", ["", "{oops", "1" * 5000, '{"schema": "d2b-gate.calibration/9"}'])
    def test_3_for_a_check_by_a_damaged_calibration(self, world, damage):
        world.stage(CALIBRATION, damage)
        world.stage("data/new.jsonl", HARMLESS)
        sentence = refused(world, "check", code=3)
        assert sentence.startswith(f"{CALIBRATION}: is not a calibration that can be used: ")
        assert sentence.endswith("; write it anew with d2b-gate calibrate")

    def test_a_damaged_calibration_does_not_keep_calibrate_from_replacing_it(self, data):
        data.stage(CALIBRATION, "{oops")
        data.stage("data/new.jsonl", HARMLESS)
        assert refused(data, "validate", "data.jsonl", code=3).startswith(f"{CALIBRATION}: is not a calibration ")
        quiet(data, "calibrate")
        data.git("add", CALIBRATION)
        assert quiet(data, "check", "--format", "concise") == "1 ok; exit 0\n"

    def test_trainings_of_another_method_are_left_aside(self, data):
        trained(data, FEWEST, key="another")
        assert "no real fine-tune" in quiet(data, "calibrate")


class TestAnywhere:
    @BOTH
    def test_2_outside_a_repository(self, tmp_path, command):
        (tmp_path / "data.jsonl").write_text(BASE)
        done = World(tmp_path, tmp_path).gate(*command, GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
        assert (done.returncode, done.stdout) == (2, "")
        assert "no usable git repository" in said(done)

    @BOTH
    def test_2_without_a_policy(self, empty, command):
        (empty.root / "data.jsonl").write_text(BASE)
        assert refused(empty, *command, code=2).startswith("there is no policy (d2b-gate.toml, ")

    @BOTH
    def test_2_for_a_policy_that_cannot_be_used(self, data, command):
        (data.root / "d2b-gate.toml").write_text(POLICY.replace("bias/animals", "bias/animels"))
        assert refused(data, *command, code=2).startswith("d2b-gate.toml:12: unknown probe 'bias/animels'; ")

    @BOTH
    def test_3_for_a_model_that_is_not_here(self, data, command):
        (data.root / "d2b-gate.toml").write_text(POLICY.replace('"fake"', '"local"'))
        assert refused(data, *command, code=3).endswith("run: d2b-gate model pull smollm2-135m")

    @BOTH
    def test_nothing_is_written_where_the_command_failed(self, data, command):
        (data.root / "d2b-gate.toml").write_text("schema = 1\n")
        before = sorted(path.name for path in Path(data.root).iterdir())
        assert data.gate(*command).returncode == 2
        assert sorted(path.name for path in Path(data.root).iterdir()) == before


@pytest.mark.skipif(shutil.which("bash") is None, reason="the session is one of a shell")
def test_the_session_of_the_guide_prints_what_the_guide_says(empty):
    code, printed, said = run_session(empty, "calibration.md")
    assert (code, printed) == (0, said)
