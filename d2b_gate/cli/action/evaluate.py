"""Third step: the verdict, in a process of its own, whose output is shown and whose end is always told."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path

from d2b_gate.cli.action import VERDICTS
from d2b_gate.cli.action.install import ROOT
from d2b_gate.cli.action.runner import asked, output, run_unheard, switch
from d2b_gate.core.errors import Exit


def run() -> int:
    """Write ``exit-code``, ``verdict`` and ``result-path``; the last step exits with the code, so this one does not."""
    folder = Path(asked("folder"))
    result = folder / "reports" / "result.json"
    share_models(Path(os.environ.get("D2B_GATE_CACHE_DIR", "")))
    variables = {**os.environ, "CI": "true", "GIT_NO_REPLACE_OBJECTS": "1", "D2B_GATE_AUTO_PULL": "1"}
    code, last = run_unheard(gate("check", *_arguments(folder, result)), variables, Path.cwd())
    known = Exit(code) if code in list(Exit) else Exit.UNEVALUATED
    if known != code:
        last.append(f"d2b-gate: error: the evaluation ended with status {code}; was it out of memory?")
    (folder / "messages.txt").write_text("\n".join(last), encoding="utf-8")
    output("exit-code", str(int(known)))
    output("verdict", "warn" if known == Exit.OK and _warns(result) else VERDICTS[known])
    output("result-path", str(result) if result.exists() else "")
    return 0


def share_models(cache: Path) -> None:
    """Pull requests keep their stores apart and their models together: half a gigabyte each would fill the runner."""
    if cache.parent.name not in ("pull", "fork"):
        return
    shared, own = cache.parent / "models", cache / "models"
    with suppress(OSError):  # then this one fetches its own
        shared.mkdir(parents=True, exist_ok=True)
        cache.mkdir(exist_ok=True)
        own.symlink_to(shared, target_is_directory=True)


def gate(*arguments: str) -> list[str]:
    """The command line of the action's own checkout; nothing of the working directory is imported (``-I``)."""
    return [sys.executable, "-I", "-B", str(ROOT / "action" / "main.py"), "gate", *arguments]


def _arguments(folder: Path, result: Path) -> list[str]:
    compared = ["--from-ref", asked("base"), "--to-ref", asked("head")]
    bootstrap = ["--bootstrap"] if switch("bootstrap") else []
    if asked("mode") == "structure":
        files = (f"github={folder / 'annotations.txt'}", f"full={folder / 'structure.txt'}")
        return [*compared, *bootstrap, "--rows-only", *(part for file in files for part in ("--output-file", file))]
    return [*compared, *bootstrap, "--format", "full", "--output-file", f"json={result}"]


def _warns(result: Path) -> bool:
    """Whether any rule warned; the gate itself wrote the file just now."""
    if not result.exists():
        return False
    findings = json.loads(result.read_bytes()).get("findings", ())
    return any(finding.get("status") == "warn" for finding in findings)
