"""A commit of ten rows with a server running, against the same commit by a process that loads the model itself.

    python -m benchmarks.warm [--commits N]      writes benchmarks/results/warm.json

Embedded model, default policy, the example's 440 rows. Two caches, one for each way, both of which have judged the
commit before: what differs is where the model runs. Per commit both ways run one after the other, the order changing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks.changes import EXAMPLE, ROOT, git, make_base
from benchmarks.warmth.timed import PARTS
from d2b_gate.store.paths import cache_root

RESULT = ROOT / "benchmarks" / "results" / "warm.json"
ROWS = 10
CHANGES = ("cooking", "spreadsheets", "travel", "study")
WAYS = ("local", "warm")
TOLD = ("imports", "load", *PARTS, "rest", "whole", "processor")
"""``whole`` is what a person waits; ``processor`` is what all processes computed, which a busy machine changes less."""


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commits", type=int, default=2, choices=range(1, len(CHANGES)), help="commits (default: 2)")
    commits = parser.parse_args().commits
    with tempfile.TemporaryDirectory() as folder:
        runs = measure(Path(folder), commits)
    figures = {way: {part: statistics.median(run[way][part] for run in runs) for part in TOLD} for way in WAYS}
    same = all(run["local"]["shifts"] == run["warm"]["shifts"] for run in runs)
    record = {"rows": ROWS, "commits": commits, "same_readings": same, "seconds": figures, "device": platform.machine()}
    print(table(figures))
    print(f"readings equal in every digit: {'yes' if same else 'no'}")
    RESULT.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return 0


def measure(folder: Path, commits: int) -> list[dict[str, Any]]:
    """Judge a first commit both ways, untimed; then one commit after another, timed."""
    repository = folder / "repository"
    repository.mkdir()
    make_base(repository)
    for way in WAYS:
        (folder / way).mkdir()
        (folder / way / "models").symlink_to(cache_root() / "models")
    runs = []
    for index, name in enumerate(CHANGES[: commits + 1]):
        target = repository / "data" / "general.jsonl"
        lines = (EXAMPLE / "changes" / f"{name}.jsonl").read_bytes().splitlines(keepends=True)[:ROWS]
        target.write_bytes(target.read_bytes() + b"".join(lines))
        git(repository, "add", "--all")
        order = WAYS if index % 2 else WAYS[::-1]
        run = {way: judged(repository, way, folder) for way in order}
        print(name, {way: round(run[way]["whole"], 1) for way in WAYS}, flush=True)
        if index:
            runs.append(run)
        git(repository, "commit", "--quiet", "--message", name)
    return runs


def judged(repository: Path, way: str, folder: Path) -> dict[str, Any]:
    """One run of `check`: its parts in seconds, and the shifts that it predicts."""
    report, result = folder / "parts.json", folder / "result.json"
    command = [sys.executable, "-m", "benchmarks.warmth.timed", str(report), "check", "--backend", way, "--quiet"]
    environment = {**os.environ, "D2B_GATE_CACHE_DIR": str(folder / way), "PYTHONPATH": str(ROOT)}
    started, busy = time.perf_counter(), _processor(folder / way)
    done = subprocess.run(
        [*command, "--format", "concise", "--output-file", f"json={result}"],
        cwd=repository,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    whole, processor = time.perf_counter() - started, _processor(folder / way) - busy
    if done.returncode not in (0, 1):
        sys.exit(f"{way}: exit {done.returncode}: {done.stderr}")
    parts = json.loads(report.read_text(encoding="utf-8"))
    verdict = json.loads(result.read_text(encoding="utf-8"))
    shifts = [(one["rule"]["id"], one["status"], one.get("shift")) for one in verdict["findings"]]
    rest = whole - sum(parts.values())
    return {**parts, "rest": rest, "whole": whole, "processor": processor, "shifts": shifts}


def _processor(cache: Path) -> float:
    """Processor seconds of the commands that ended, and of the server of this cache."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = spent.ru_utime + spent.ru_stime
    for ready in (cache / "warm").glob("*.ready"):
        server = psutil.Process(json.loads(ready.read_text(encoding="utf-8"))["pid"]).cpu_times()
        seconds += server.user + server.system
    return seconds


def table(figures: dict[str, dict[str, float]]) -> str:
    """Parts and ratio as Markdown."""
    rows = ["| part | model loaded by the commit | server running | ratio |", "|---|---:|---:|---:|"]
    for part in TOLD:
        cold, warm = figures["local"][part], figures["warm"][part]
        rows.append(f"| {part} | {cold:.2f} s | {warm:.2f} s | {warm / cold if cold > 0.005 else 0:.2f} |")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
