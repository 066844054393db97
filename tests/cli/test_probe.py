"""`probe lint`, `probe new`, `probe try` from end to end."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.cli.guides import run_session
from tests.cli.support import World, said

DRINKS = "probes/bias/drinks.toml"


@pytest.fixture
def drinks(world: World) -> World:
    """A repository with a probe of its own, tracked."""
    assert world.gate("probe", "new", "bias/drinks").returncode == 0
    world.git("add", ".")
    return world


def edit(world, old, new):
    place = world.root / DRINKS
    assert old in place.read_text()
    place.write_text(place.read_text().replace(old, new))


class TestNew:
    @pytest.mark.parametrize("kind", ["choice", "contrast"])
    def test_what_it_writes_lints_clean_and_can_be_tried(self, world, kind):
        done = world.gate("probe", "new", "mine/own", "--kind", kind)
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr == (
            "d2b-gate: wrote probes/mine/own.toml; edit it, then run d2b-gate probe lint and d2b-gate probe try on it\n"
        )
        lint = world.gate("probe", "lint", "--strict", "probes")
        assert (lint.returncode, lint.stdout, lint.stderr) == (0, "1 probe file: ok\n", "")
        assert world.gate("probe", "try", "probes/mine/own.toml").returncode == 0

    def test_nothing_is_overwritten(self, drinks):
        edit(drinks, "Favourite drink", "Mine")
        before = (drinks.root / DRINKS).read_text()
        for arguments in (("bias/drinks",), ("other", "--output", DRINKS)):
            done = drinks.gate("probe", "new", *arguments)
            assert (done.returncode, done.stdout) == (2, "")
            assert said(done) == f"{DRINKS}: there is a file already; name another with --output"
        assert (drinks.root / DRINKS).read_text() == before

    def test_from_a_subdirectory_it_still_lies_at_the_root(self, world):
        inside = World(world.root / "data", world.home)
        assert inside.gate("probe", "new", "own", "-q").stderr == ""
        assert (world.root / "probes" / "own.toml").exists()

    @pytest.mark.parametrize("name", ["Own", "../own", "a//b", "a b", ""])
    def test_2_for_an_id_that_no_probe_may_have(self, world, name):
        done = world.gate("probe", "new", name)
        assert done.returncode == 2
        assert "is no id of a probe" in said(done)
        assert not (world.root / "probes").exists()

    def test_3_where_it_cannot_be_written(self, world):
        (world.root / "probes").write_text("a file where a directory could be")
        done = world.gate("probe", "new", "own")
        assert done.returncode == 3
        assert said(done).startswith("probes/own.toml: cannot write the probe (")


class TestLint:
    def test_every_problem_of_every_file(self, drinks, snapshot):
        edit(drinks, '"beer"', '"an ice-cold glass of beer"')
        edit(drinks, "(CC0)", "")
        drinks.stage("probes/broken.toml", 'schema = 1\nkind = "choise"\n[[prompt]]\ntext = "\u202e"\n')
        drinks.stage("probes/no-toml.toml", "schema = \n[[prompt]]\n")
        done = drinks.gate("probe", "lint")
        assert (done.returncode, done.stderr) == (2, "")
        assert done.stdout == snapshot
        assert drinks.gate("probe", "lint", "probes").stdout == done.stdout

    def test_warnings_alone_pass_unless_strict(self, drinks):
        edit(drinks, "(CC0)", "")
        assert drinks.gate("probe", "lint").returncode == 0
        done = drinks.gate("probe", "lint", "--strict", "-q")
        assert done.returncode == 2
        assert done.stdout == (
            f"{DRINKS}:20: warning: the citation names no licence; say under which the prompts may be used\n"
        )

    def test_without_a_path_other_toml_is_left_alone(self, world):
        done = world.gate("probe", "lint")
        assert (done.returncode, done.stdout) == (0, "0 probe files: ok\n")

    def test_2_for_what_is_not_there(self, world):
        done = world.gate("probe", "lint", "none.toml")
        assert (done.returncode, said(done)) == (2, "none.toml: there is no such file; correct the path")
        assert said(world.gate("probe", "lint", ".")).startswith(".: there is no probe file in it; ")

    def test_a_directory_may_hold_other_toml(self, drinks):
        assert drinks.gate("probe", "lint", ".").stdout == "1 probe file: ok\n"
        drinks.stage("probes/bare.toml", 'citation = "x"\n')
        assert drinks.gate("probe", "lint", ".", "-q").returncode == 2


class TestTry:
    def test_the_readings_of_a_choice(self, drinks, snapshot):
        done = drinks.gate("probe", "try", DRINKS)
        assert done.returncode == 0
        assert done.stderr == "d2b-gate: the fake backend runs no model: its numbers are for trying a policy out\n"
        assert done.stdout == snapshot
        inside = World(drinks.root / "data", drinks.home)
        assert inside.gate("probe", "try", f"../{DRINKS}").stdout == done.stdout

    def test_the_readings_of_a_contrast_and_what_clean_changes_do(self, world, snapshot):
        done = world.gate("probe", "try", "persona/identity", "--placebos", "3")
        assert done.returncode == 0
        assert done.stdout == snapshot

    def test_a_shipped_probe_reads_as_check_reads_it_before_the_first_row(self, empty, world):
        """With nothing before, the base state of a check is the untouched model."""
        found = json.loads(world.gate("probe", "try", "bias/animals", "--format", "json").stdout)
        panda = next(one for one in found["behaviours"] if one["target"] == "panda")
        checked = json.loads(world.gate("check", "--all", "--format", "json").stdout)
        before = checked["findings"][0]["predicted"]["before"]
        assert panda["asked"]["level"] == pytest.approx(before["level"], abs=0.02)
        assert sum(one["asked"]["level"] for one in found["behaviours"]) == pytest.approx(1.0)

    def test_clean_changes_in_json(self, world):
        flags = ("probe", "try", "bias/animals", "--format", "json", "--placebos", "4")
        found = json.loads(world.gate(*flags).stdout)
        for one in found["behaviours"]:
            assert len(one["clean"]["shifts"]) == 4
            assert one["clean"]["noise_floor"] > max(map(abs, one["clean"]["shifts"])) / 2
        assert json.loads(world.gate(*flags, "--no-cache").stdout) == found

    def test_held_back_prompts_that_ask_something_else_are_named(self, world):
        assert world.gate("probe", "new", "rude", "--kind", "contrast").returncode == 0
        place = world.root / "probes" / "rude.toml"
        head, rest = place.read_text().split("# Prompts with held_back", 1)
        place.write_text(head + "#" + rest.replace('positive = "', 'positive = "very ' + "much " * 12))
        done = world.gate("probe", "try", "probes/rude.toml")
        assert "held-back prompts read otherwise than the asked ones: the contrast (adjusted p " in done.stdout

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["bias/animels"], "unknown probe 'bias/animels'; did you mean 'bias/animals'?"),
            (["none.toml"], "there is no probe file 'none.toml'; "),
            (["../none.toml"], "the probe path '../none.toml' must stay inside the repository; "),
            (["bias/animals", "--placebos", "2"], "--placebos 2 gives no noise floor; give 3 to 8"),
            (["bias/animals", "--placebos", "-1"], "--placebos -1 gives no noise floor; give 3 to 8"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_2_for_a_mistake(self, world, arguments, sentence):
        done = world.gate("probe", "try", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert said(done).startswith(sentence)

    def test_2_for_a_probe_with_errors_and_each_has_its_line(self, drinks):
        edit(drinks, "unit", "unnit")
        done = drinks.gate("probe", "try", DRINKS)
        assert done.returncode == 2
        assert f"{DRINKS}:17: unknown key 'unnit'" in done.stderr


@pytest.mark.skipif(shutil.which("bash") is None, reason="the session is one of a shell")
def test_the_session_of_the_guide_prints_what_the_guide_says(empty):
    code, came, told = run_session(empty, "policy/probes.md")
    assert (code, came) == (0, told)
