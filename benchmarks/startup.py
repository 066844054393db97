"""How long the commands take that people wait for most often: help, and a hook with nothing to do.

Every command runs once per round, so that a busy moment of the machine hits all of them alike; the table shows medians.

    python -m benchmarks.startup [--rounds N]       writes benchmarks/results/startup.json, and the README's table
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.scoring.markdown import rewrite

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parent.parent
RESULT = Path(__file__).parent / "results" / "startup.json"
POLICY = """\
schema = 1
extends = ["d2b:default"]
[[dataset]]
name = "sft"
include = ["data/**/*.jsonl"]
"""
BUDGET_MS = {"d2b-gate --help": 100, "d2b-gate hook pre-commit": 150}


class Run(NamedTuple):
    """Milliseconds of one run; ``busy`` counts processor time, which other work on the machine inflates less."""

    elapsed: float
    busy: float


def main() -> int:
    """Measure, print, and keep the figures; exit 1 if a budget is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, help="runs of each command (default: 20)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        repository = make_repository(Path(folder) / "repository")
        figures = measure(commands(), repository, rounds)
    verdicts = {name: judge(name, figures) for name in figures}
    print_table(figures, verdicts)
    RESULT.parent.mkdir(exist_ok=True)
    told = record(figures, rounds)
    RESULT.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    rewrite(ROOT / "README.md", RESULT.name, markdown(told))
    return int(any(verdict.startswith("over") for verdict in verdicts.values()))


def commands() -> dict[str, list[str]]:
    """The commands by the name under which they are reported; scripts beside the running Python come first."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    gate, pre_commit = (shutil.which(name, path=path) or name for name in ("d2b-gate", "pre-commit"))
    return {
        "python -c pass": [sys.executable, "-c", "pass"],
        "git --version": ["git", "--version"],
        "d2b-gate --help": [gate, "--help"],
        "d2b-gate hook pre-commit": [gate, "hook", "pre-commit"],
        "pre-commit --version": [pre_commit, "--version"],
    }


def make_repository(root: Path) -> Path:
    """Make a repository with a policy and data, where a change to the README is staged."""
    (root / "data").mkdir(parents=True)
    (root / "d2b-gate.toml").write_text(POLICY)
    (root / "data" / "base.jsonl").write_text('{"prompt": "a", "completion": "b"}\n' * 1000)
    (root / "README.md").write_text("one\n")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "base"]):
        subprocess.run([*git, *arguments], cwd=root, check=True)
    (root / "README.md").write_text("two\n")
    subprocess.run([*git, "add", "."], cwd=root, check=True)
    return root


def measure(todo: dict[str, list[str]], folder: Path, rounds: int) -> dict[str, list[Run]]:
    """Return the milliseconds of every run; one round before them fills the caches of files and bytecode."""
    figures: dict[str, list[Run]] = {name: [] for name in todo}
    for _ in range(rounds + 1):
        for name, command in todo.items():
            began, before = time.perf_counter(), os.times()
            subprocess.run(command, cwd=folder, env=environment(), check=True, capture_output=True)
            after = os.times()
            busy = after.children_user + after.children_system - before.children_user - before.children_system
            figures[name].append(Run((time.perf_counter() - began) * 1000, busy * 1000))
    return {name: runs[1:] for name, runs in figures.items()}


def environment() -> dict[str, str]:
    """The caller's, without the switch that keeps Python from remembering what it compiled: users have none."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def middle(runs: list[Run]) -> float:
    """Median of the elapsed times."""
    return statistics.median(run.elapsed for run in runs)


def judge(name: str, figures: dict[str, list[Run]]) -> str:
    """Compare a median with its budget and with pre-commit's own start."""
    if name not in BUDGET_MS:
        return ""
    median, guest = middle(figures[name]), middle(figures["pre-commit --version"])
    if median > BUDGET_MS[name]:
        return f"over its budget of {BUDGET_MS[name]} ms"
    return "over pre-commit --version" if median > guest else f"within {BUDGET_MS[name]} ms"


def print_table(figures: dict[str, list[Run]], verdicts: dict[str, str]) -> None:
    """Print one line per command."""
    print(f"{'command':<26}{'median ms':>10}{'fastest':>10}{'slowest':>10}{'cpu ms':>10}")
    for name, runs in figures.items():
        cells = "".join(f"{value:>10.1f}" for value in summary(runs).values())
        print(f"{name:<26}{cells}   {verdicts[name]}".rstrip())


def markdown(told: Mapping[str, Any]) -> str:
    """The table that the README shows."""
    rows = [f"| `{name}` | {one['median']:.0f} ms |" for name, one in told["milliseconds"].items()]
    return "\n".join(["| command | median |", "|---|---|", *rows])


def summary(runs: list[Run]) -> dict[str, float]:
    """The figures of one command that are kept."""
    elapsed = [run.elapsed for run in runs]
    busy = statistics.mean(run.busy for run in runs)  # the clock behind it ticks in steps of 10 ms
    figures = {"median": middle(runs), "fastest": min(elapsed), "slowest": max(elapsed), "cpu": busy}
    return {name: round(value, 1) for name, value in figures.items()}


def record(figures: dict[str, list[Run]], rounds: int) -> dict[str, object]:
    """Return what is kept: figures, and what they were measured on."""
    return {
        "machine": {
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
            "cpus": os.cpu_count(),
        },
        "rounds": rounds,
        "budget_ms": BUDGET_MS,
        "milliseconds": {name: summary(runs) for name, runs in figures.items()},
    }


if __name__ == "__main__":
    sys.exit(main())
