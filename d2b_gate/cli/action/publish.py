"""Fourth step: annotations, the job's summary, SARIF and HTML, all from the saved result."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from d2b_gate.cli.action.evaluate import gate
from d2b_gate.cli.action.runner import annotate, asked, output, summarise, switch
from d2b_gate.core.errors import Exit
from d2b_gate.reports.escape import terminal

_ERROR = "d2b-gate: error: "
_LINE = 1000  # characters of one message in the summary


def run() -> int:
    """Publish what there is: the reports of a result, or the sentence that says why there is none."""
    folder = Path(asked("folder"))
    if asked("result"):
        _reports(Path(asked("result")), folder / "reports")
    else:
        _messages(folder)
    return 0


def _reports(result: Path, folder: Path) -> None:
    sarif, html, summary = folder / "d2b-gate.sarif", folder / "d2b-gate.html", folder / "summary.md"
    _render(result, "--format", "github", "--output-file", f"markdown={summary}", "--output-file", f"sarif={sarif}")
    _render(result, "--format", "concise", "--output-file", f"html={html}", shown=False)
    if switch("receipt"):
        output("receipt-path", _receipt(result, folder / "receipt.json"))
    if summary.exists():
        summarise(summary.read_text(encoding="utf-8") + "\n")
    output("sarif-path", str(sarif) if sarif.exists() else "")
    output("html-path", str(html) if html.exists() else "")


def _render(result: Path, *arguments: str, shown: bool = True) -> None:
    """Print annotations, which the format `github` makes safe; a report that cannot be made is told, and no verdict."""
    done = subprocess.run(
        gate("report", str(result), *arguments), capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    if shown:
        sys.stdout.write(done.stdout)
        sys.stdout.flush()
    for line in done.stderr.splitlines():
        if line.startswith(_ERROR):
            annotate("warning", f"a report is missing: {line.removeprefix(_ERROR)}")


def _receipt(result: Path, receipt: Path) -> str:
    """The path of the receipt; empty where it could not be made, which a warning tells."""
    argv = gate("receipt", "create", str(result), "--output", str(receipt))
    done = subprocess.run(argv, capture_output=True, encoding="utf-8", errors="replace", check=False)
    if done.returncode or not receipt.exists():
        said = done.stderr.strip().splitlines() or ["nothing was said"]
        annotate("warning", f"there is no receipt: {said[-1].removeprefix(_ERROR)}")
    return str(receipt) if receipt.exists() else ""


def _messages(folder: Path) -> None:
    """The structure of a change, and what was said on stderr: errors as annotations, and all of it in the summary."""
    sys.stdout.write(_text(folder / "annotations.txt"))
    sys.stdout.flush()
    said = _text(folder / "messages.txt").splitlines()
    for line in said:
        if line.startswith(_ERROR):
            annotate("error", line.removeprefix(_ERROR))
    lines = [*_text(folder / "structure.txt").splitlines(), *said]
    shown = "".join(f"    {terminal(line, _LINE)}\n" for line in lines)
    code = asked("exit-code") or str(int(Exit.UNEVALUATED))
    summarise(f"### d2b-gate: {asked('verdict')} (exit {code})\n\n{shown}\n{_next(code)}")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _next(code: str) -> str:
    server, repository, number = (
        os.environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")
    )
    return "" if code == str(int(Exit.OK)) else f"The whole log: {server}/{repository}/actions/runs/{number}\n"
