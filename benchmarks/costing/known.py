"""Start-up and a verdict that is known, in rounds: every command once per round, so that noise hits all alike."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from benchmarks import startup
from benchmarks.costing.commits import environment

if TYPE_CHECKING:
    from pathlib import Path

HOOK, PYTHON, PRE_COMMIT = "d2b-gate hook pre-commit", "python -c pass", "pre-commit --version"
KNOWN = "d2b-gate check (known)"
CHILD = (
    "import sys; from d2b_gate.cli import main; main(['check', '--quiet']);"
    "print(*sorted({'torch', 'transformers', 'numpy'} & set(sys.modules)), file=sys.stderr)"
)
SECOND = 1000.0  # milliseconds


def measure(folder: Path, rounds: int) -> dict[str, Any]:
    """Medians in milliseconds, their ratios, and which heavy libraries the known verdict imported.

    ``folder`` is that of `commits.warm`, whose verdict is asked for again; if there was none, that is not measured.
    """
    nothing = startup.make_repository(folder / "nothing")
    todo = {name: command for name, command in startup.commands().items() if name in (HOOK, PYTHON, PRE_COMMIT)}
    repository, cache = folder / "repository", folder / "cache"
    if repository.is_dir():
        todo[KNOWN] = ["sh", "-c", _asked_again(repository, cache)]
    figures = startup.measure(todo, nothing, rounds)
    median = {name: startup.middle(runs) for name, runs in figures.items()}
    busy = {name: startup.summary(runs)["cpu"] for name, runs in figures.items()}
    part: dict[str, Any] = {
        "rounds": rounds,
        "milliseconds": median,
        "processor_milliseconds": busy,
        "over_python": median[HOOK] / median[PYTHON],
        "over_pre_commit": median[HOOK] / median[PRE_COMMIT],
    }
    if KNOWN not in median:
        return part
    heavy = _imported(repository, cache)
    return {**part, "imported": heavy, **({} if "torch" in heavy else {"known_verdict": median[KNOWN] / SECOND})}


def _asked_again(repository: Path, cache: Path) -> str:
    """The last check once more; whatever the verdict is, it is no failure of the benchmark."""
    gate, path = startup.commands()[HOOK][0], os.environ.get("PYTHONPATH", "")
    setting = f"D2B_GATE_CACHE_DIR={shlex.quote(str(cache))} PYTHONPATH={shlex.quote(path)}"
    check = f"cd {shlex.quote(str(repository))} && {setting} {shlex.quote(gate)} check --quiet"
    return f"{check}; case $? in 0|1|4) ;; *) exit 1 ;; esac"


def _imported(repository: Path, cache: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        cwd=repository,
        env=environment(cache),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr.splitlines()[-1].split() if done.stderr.strip() else []
