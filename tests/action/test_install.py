"""The step that installs: from the action's own checkout, and never into an interpreter that it was given."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.action.runner import ACTION
from tests.cli.support import HARMFUL

ISOLATED = ("-I", "-B", "-c")


@pytest.fixture
def bare(tmp_path):
    """An interpreter that has a torch and nothing that the gate needs besides."""
    place = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    packages = next(place.glob("lib/*/site-packages"))
    (packages / "torch").mkdir()
    (packages / "torch" / "__init__.py").write_text("__version__ = 'their own'\n")
    return place / "bin" / "python"


def test_what_cannot_be_installed_ends_as_could_not_evaluate(forge):
    forge.commit("topic", {"data/new.jsonl": HARMFUL}, after="main")
    event = forge.pull("topic")
    runner = forge.runner(event, forge.checkout(event.sha), PIP_NO_INDEX="1", PIP_NO_CACHE_DIR="1")
    outcome = runner.run()
    assert (outcome.code, outcome.outputs["exit-code"], outcome.outputs["verdict"]) == (3, "3", "error")
    assert "cannot be installed" in outcome.annotations("error")[0][1]
    assert outcome.ran == ["Refuse what must not be judged", "Install", "Exit as d2b-gate did"]


@pytest.mark.parametrize("extras", ["tests", "model; rm -rf x", "--index-url=x"])
def test_extras_are_names_that_the_project_has(forge, extras):
    forge.commit("topic", {"data/new.jsonl": HARMFUL}, after="main")
    outcome = forge.act(forge.pull("topic"), extras=extras)
    assert (outcome.code, outcome.outputs["verdict"]) == (2, "refused")


def test_an_environment_on_top_sees_what_the_given_interpreter_has(bare, tmp_path):
    script = (
        f"import sys; sys.path.insert(0, {str(ACTION.parent)!r})\n"
        "from pathlib import Path\n"
        "from d2b_gate.cli.action.install import layered\n"
        f"print(layered(Path({str(tmp_path / 'on-top')!r})))\n"
    )
    made = subprocess.run([bare, *ISOLATED, script], capture_output=True, text=True, check=True).stdout.strip()
    look = "import torch, pip, sys; print(torch.__version__, sys.prefix)"
    seen = subprocess.run([made, *ISOLATED, look], capture_output=True, text=True, check=True).stdout
    assert seen.split() == ["their", "own", str(tmp_path / "on-top")]
    look = "import importlib.util; print(importlib.util.find_spec('pip'))"
    assert subprocess.run([bare, *ISOLATED, look], capture_output=True, text=True, check=True).stdout == "None\n"


@pytest.mark.slow
@pytest.mark.parametrize("given", [False, True], ids=["nothing given", "an interpreter with a torch of its own"])
def test_what_is_absent_is_installed(forge, bare, given):
    forge.commit("topic", {"data/new.jsonl": HARMFUL}, after="main")
    event = forge.pull("topic")
    runner = forge.runner(event, forge.checkout(event.sha))
    inputs = {"python": str(bare), "mode": "structure"} if given else {"mode": "structure"}
    outcome = runner.run(**inputs)
    assert outcome.code == 0, outcome.log
    assert "+40 rows" in outcome.log
    installed = {place.name for place in (bare.parent.parent / "lib").glob("*/site-packages/*")}
    assert "pydantic" not in installed, "nothing is put into an interpreter that was given"
