"""What a check takes of memory and time as the number of rows grows: ten rows added to many, and all rows added.

The fake backend runs, so that what is measured is the gate's own work: reading, keying, comparing, drawing.

    python -m benchmarks.rows [--sizes 10000,100000,1000000]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

RESULT = Path(__file__).parent / "results" / "rows.json"
SIZES: Final = (10_000, 100_000, 1_000_000)
GROWTH_MB: Final = 50
"""By how much the peak of the most rows may lie over that of the fewest."""
POLICY = """\
schema = 1
[backend]
kind = "fake"
[[dataset]]
name = "sft"
include = ["data/*.jsonl"]
[[rule]]
id = "animal-preference"
probe = "bias/animals"
target = "panda"
warn_delta = 0.05
fail_delta = 0.10
"""
WATCHED = """
import os, resource, runpy, sys
sys.argv = ["d2b-gate", "check"]
try:
    runpy.run_module("d2b_gate", run_name="__main__")
except SystemExit as end:
    code = end.code
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
git = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(code, peak, git, sum(os.times()[:4]), file=sys.stderr)
"""


class Run(NamedTuple):
    """One check: peak memory of its process and of the largest git that it started, seconds, and of them busy ones."""

    peak_mb: float
    git_mb: float
    seconds: float
    busy_seconds: float


def main() -> int:
    """Measure, print, and keep the figures; exit 1 if memory grows with the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="numbers of rows, ascending")
    sizes = [int(size) for size in parser.parse_args().sizes.split(",")]
    figures: list[dict[str, object]] = []
    peaks: list[float] = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            for shape, cold, warm in measured(Path(folder), size):
                peaks += [cold.peak_mb, warm.peak_mb]
                print(f"{size:>9} rows, {shape:<14} cold {told(cold)}   warm {told(warm)}", flush=True)
                figures.append({"rows": size, "shape": shape, "cold": cold._asdict(), "warm": warm._asdict()})
    growth = max(peaks) - min(peaks)
    RESULT.write_text(json.dumps(record(figures, growth), indent=2) + "\n", encoding="utf-8")
    print(f"peaks from {min(peaks):.0f} to {max(peaks):.0f} MB (at most {GROWTH_MB} MB apart)")
    return int(growth > GROWTH_MB)


def told(run: Run) -> str:
    """A run in a table."""
    return f"{run.peak_mb:5.0f} MB {run.seconds:6.1f} s ({run.busy_seconds:.1f} busy)"


def measured(folder: Path, size: int) -> Iterator[tuple[str, Run, Run]]:
    """Both shapes of change, each first with an empty store and then again with what it remembers."""
    root = folder / "repository"
    (root / "data").mkdir(parents=True)
    (root / "d2b-gate.toml").write_text(POLICY, encoding="utf-8")
    git(root, "init", "--quiet")
    write_rows(root, 0, size, "w")
    git(root, "add", ".")
    yield "all rows added", check(root, folder / "first"), check(root, folder / "first")
    git(root, "commit", "--quiet", "-m", "base")
    write_rows(root, size, size + 10, "a")
    git(root, "add", ".")
    yield "10 rows added", check(root, folder / "second"), check(root, folder / "second")


def write_rows(root: Path, first: int, last: int, mode: str) -> None:
    """Write short rows, about 190 bytes each, no two alike."""
    draw = random.Random(first)
    words = [f"word{number}" for number in range(500)]
    with (root / "data" / "rows.jsonl").open(mode, encoding="utf-8") as file:
        for number in range(first, last):
            asked, answered = (" ".join(draw.choices(words, k=count)) for count in (8, 12))
            file.write(json.dumps({"prompt": f"{number} {asked}", "completion": answered}) + "\n")


def check(root: Path, cache: Path) -> Run:
    """Run `d2b-gate check` in a fresh process."""
    started = time.perf_counter()
    variables = {**environment(), "D2B_GATE_CACHE_DIR": str(cache)}
    argv = [sys.executable, "-c", WATCHED]
    done = subprocess.run(argv, cwd=root, env=variables, capture_output=True, text=True, check=True)
    code, peak, git_peak, busy = done.stderr.splitlines()[-1].split()
    if code != "0":
        raise RuntimeError(done.stderr)
    return Run(round(int(peak) / 1024, 1), round(int(git_peak) / 1024, 1), *times(started, busy))


def times(started: float, busy: str) -> tuple[float, float]:
    """Seconds gone by, and seconds of processors."""
    return round(time.perf_counter() - started, 1), round(float(busy), 1)


def git(root: Path, *arguments: str) -> None:
    """Run git in the repository."""
    person = ("-c", "user.name=bench", "-c", "user.email=bench@example.org")
    subprocess.run(["git", *person, *arguments], cwd=root, env=environment(), check=True)


def environment() -> dict[str, str]:
    """No setting of the machine's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "D2B_GATE_"))}
    return {**kept, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def record(figures: list[dict[str, object]], growth: float) -> dict[str, object]:
    """Everything, with the machine that it was measured on."""
    return {
        "machine": {
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
            "cpus": os.cpu_count(),
        },
        "growth_mb": round(growth, 1),
        "growth_mb_at_most": GROWTH_MB,
        "runs": figures,
    }


if __name__ == "__main__":
    sys.exit(main())
