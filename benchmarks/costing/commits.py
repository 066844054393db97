"""What commits cost: one that brings all rows, on an empty store; then one of 1 % of the rows on a warm store.

All through `d2b-gate check` with the default policy, in a repository of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from benchmarks.changes import EXAMPLE, ROOT, git
from benchmarks.costing.rows import as_jsonl
from benchmarks.startup import environment as plain_environment
from benchmarks.warmth.timed import PARTS
from d2b_gate.core.rules import MethodSpec
from d2b_gate.store.paths import cache_root

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from d2b_gate.core.rows import Row

SHARE = 0.01
"""Of the rows that each commit replaces."""
POLICY = EXAMPLE / "d2b-gate.toml"
BUDGET = "\n[budget]\nseconds = 7200\n"
"""Nothing is cut short by the time budget, else the figures would say little."""
FILE = "rows.jsonl"
FEW = 10
"""Rows of the commit that was judged before."""


def spares(count: int) -> int:
    """Rows that the commits need besides those of the data."""
    return round(count * SHARE)


def cold(folder: Path, rows: Sequence[Row]) -> dict[str, Any]:
    """Judge the commit that adds every row, on an empty store: the guard compares every one of them."""
    repository = _begin(folder)
    _write(repository, rows)
    git(repository, "add", "--all")
    return _told("cold", {"of": len(rows), **judged(repository, folder / "cache", folder)})


def half(folder: Path, rows: Sequence[Row], count: int) -> dict[str, Any]:
    """As `warm`, by a policy that asks for half the steps, which the calibration of first looks holds for."""
    steps = MethodSpec().first_look
    return {"steps": steps, **warm(folder, rows, count, f"\n[method]\nsteps = {steps}\n")}


def warm(folder: Path, rows: Sequence[Row], count: int, more: str = "") -> dict[str, Any]:
    """Judge the commit that replaces 1 % of ``count`` rows by those behind them, on a store that knows the controls.

    A commit of few rows has been judged before, as any repository that uses the gate has seen one. The features of the
    other rows are not in the store, and are not missed: the commit asks for those of its own rows alone. ``more`` is
    added to the policy.
    """
    repository, step = _begin(folder, more), round(count * SHARE)
    data = list(rows[:count])
    _write(repository, data[FEW:])
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "most rows")
    _write(repository, data)
    git(repository, "add", "--all")
    judged(repository, folder / "cache", folder)
    git(repository, "commit", "--quiet", "--message", "all rows")
    data[:step] = rows[count : count + step]
    _write(repository, data)
    git(repository, "add", "--all")
    return _told("warm", {"of": count, "changed": step, **judged(repository, folder / "cache", folder)})


def _begin(folder: Path, more: str = "") -> Path:
    """A repository with the policy in it, and a cache with the model alone."""
    repository, cache = folder / "repository", folder / "cache"
    cache.mkdir(parents=True)
    (cache / "models").symlink_to(cache_root() / "models")
    (repository / "data").mkdir(parents=True)
    (repository / "d2b-gate.toml").write_text(POLICY.read_text(encoding="utf-8") + BUDGET + more, encoding="utf-8")
    git(repository, "init", "--quiet")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "base")
    return repository


def _told(name: str, figures: dict[str, Any]) -> dict[str, Any]:
    print(f"commit on a {name} store", {part: f"{took:.1f} s" for part, took in figures["seconds"].items()}, flush=True)
    return figures


def _write(repository: Path, rows: Sequence[Row]) -> None:
    (repository / "data" / FILE).write_bytes(as_jsonl(rows))


def judged(repository: Path, cache: Path, folder: Path) -> dict[str, Any]:
    """One run of `check`: seconds, positions and rows by part."""
    report = folder / "parts.json"
    command = [sys.executable, "-m", "benchmarks.costing.timed", str(report), "check", "--quiet", "--format", "concise"]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=repository, env=environment(cache), capture_output=True, text=True, check=False)
    whole = time.perf_counter() - began
    if done.returncode not in (0, 1, 4):
        raise SystemExit(f"check: exit {done.returncode}: {done.stderr}")
    told = json.loads(report.read_text(encoding="utf-8"))
    path = sum(told["seconds"][part] for part in PARTS)
    return {"exit": done.returncode, "whole": whole, "path": path, **told}


def environment(cache: Path) -> dict[str, str]:
    """No backend, context or repository of the caller's."""
    kept = {name: value for name, value in plain_environment().items() if not name.startswith(("GIT_", "D2B_GATE_"))}
    kept.pop("CI", None)
    return {**kept, "D2B_GATE_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT), "PATH": os.environ.get("PATH", "")}
