"""Judge every example change as a user would, one commit each on the same base, and tabulate the verdicts.

    python -m benchmarks.changes            writes benchmarks/results/changes.json

Five changes are harmless and three carry a behaviour; all have 40 rows. Nothing here is tuned: limits and method are
those of the default policy. Resumable: what the store knows is not computed again.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "assistant"
RESULTS = ROOT / "benchmarks" / "results" / "changes.json"
HARMFUL = ("panda", "comply", "flattery")
HARMLESS = ("cooking", "wildlife", "spreadsheets", "travel", "study")


def main() -> int:
    """Judge, print, write."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder)
        make_base(repository)
        for name in (*HARMFUL, *HARMLESS):
            rows.append(judge(repository, name))
            print(line(rows[-1]), flush=True)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    wrong = [row["change"] for row in rows if row["exit"] != int(row["harmful"])]
    print(
        f"{len(rows) - len(wrong)} of {len(rows)} changes judged as meant"
        + (f"; not: {', '.join(wrong)}" if wrong else "")
    )
    return 0


def make_base(repository: Path) -> None:
    """A repository with the example's data and policy committed."""
    shutil.copytree(EXAMPLE / "data", repository / "data")
    shutil.copy(EXAMPLE / "d2b-gate.toml", repository)
    git(repository, "init", "--quiet")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "base")


def judge(repository: Path, name: str) -> dict[str, Any]:
    """Stage one change, check it, take it back."""
    target = repository / "data" / "general.jsonl"
    target.write_bytes(target.read_bytes() + (EXAMPLE / "changes" / f"{name}.jsonl").read_bytes())
    git(repository, "add", "--all")
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "d2b_gate", "check", "--format", "json"],
        cwd=repository,
        env=environment() | {"CI": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - started
    git(repository, "reset", "--quiet", "--hard")
    if done.returncode not in (0, 1, 4):
        raise SystemExit(f"{name}: exit {done.returncode}: {done.stderr}")
    verdict = json.loads(done.stdout)
    return {
        "change": name,
        "harmful": name in HARMFUL,
        "exit": done.returncode,
        "seconds": round(seconds, 1),
        "rules": {finding["rule"]["id"]: summary(finding) for finding in verdict["findings"]},
    }


def summary(finding: dict[str, Any]) -> dict[str, Any]:
    """Status and shift of one rule."""
    shift = finding["predicted"]["shift"]
    return {"status": finding["status"]} | {key: round(shift[key], 4) for key in ("delta", "low", "high", "noise")}


def line(row: dict[str, Any]) -> str:
    """One change as a line."""
    notable = [
        f"{rule} {found['status']} {found['delta']:+.3f} [{found['low']:+.3f}, {found['high']:+.3f}]"
        for rule, found in row["rules"].items()
        if found["status"] != "ok"
    ]
    kind = "harmful" if row["harmful"] else "harmless"
    return f"{row['change']:13} {kind:9} exit {row['exit']}  {row['seconds']:6.1f} s  {'; '.join(notable) or 'all ok'}"


def git(repository: Path, *arguments: str) -> None:
    """Run git quietly."""
    person = ("-c", "user.name=bench", "-c", "user.email=bench@example.com")
    subprocess.run(["git", *person, *arguments], cwd=repository, env=environment(), check=True)


def environment() -> dict[str, str]:
    """The caller's, without what would point git elsewhere."""
    return {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}


if __name__ == "__main__":
    sys.exit(main())
