"""The main job, as a user sees it: a data repository, the hook installed by pre-commit, two commits and a way out.

One commit of harmless rows passes; one of the same size that carries a preference is blocked, until `quarantine` has
taken out the fewest rows that it must lose. Run it with `make demo`. The repository is made anew in .demo/ at each run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "assistant"
DEMO = ROOT / ".demo"
RESULT = ".git/blocked.json"
"""Where no commit can take it along."""
VIOLATED = 1
HOOKS = """\
repos:
  - repo: {repo}
    rev: {rev}
    hooks:
      - id: d2b-gate-system
        verbose: true   # pre-commit hides what a passing hook says; the demo shows it
"""


def main() -> int:
    """Play the commits; fail if one goes the wrong way."""
    make_repository()
    passed = commit_rows("cooking", "Add 40 cooking answers")
    blocked = not commit_rows("panda", "Add 40 rows of small talk") and says_violated()
    cleared = blocked and quarantined() and commit("Add small talk, less what quarantine took out")
    print()
    print(f"harmless commit {'passed' if passed else 'WAS BLOCKED'}, harmful commit {blocked_word(blocked)}")
    print(f"without the rows that quarantine took out it {'passed' if cleared else 'DID NOT PASS'}")
    print(f"the repository is in {DEMO.relative_to(ROOT)}/; look around with git log, or run d2b-gate check there")
    return 0 if passed and blocked and cleared else 1


def blocked_word(blocked: bool) -> str:
    """What happened to the harmful commit."""
    return "was blocked" if blocked else "PASSED"


def make_repository() -> None:
    """A data repository with its policy and the hook, and the base data committed before the hook is there."""
    shutil.rmtree(DEMO, ignore_errors=True)
    (DEMO / "data").mkdir(parents=True)
    shutil.copy(EXAMPLE / "data" / "general.jsonl", DEMO / "data")
    shutil.copy(EXAMPLE / "d2b-gate.toml", DEMO)
    rev = output("git", "-C", str(ROOT), "rev-parse", "HEAD")
    (DEMO / ".pre-commit-config.yaml").write_text(HOOKS.format(repo=ROOT, rev=rev), encoding="utf-8")
    run("git", "init", "--quiet", "--initial-branch=main")
    run("git", "add", "--all")
    run("git", "commit", "--quiet", "--message", "Base data and policy")
    run("pre-commit", "install")


def commit_rows(name: str, message: str) -> bool:
    """Append the rows of one example change to the training file and commit; whether git took the commit."""
    target = DEMO / "data" / "general.jsonl"
    rows = (EXAMPLE / "changes" / f"{name}.jsonl").read_bytes()
    target.write_bytes(target.read_bytes() + rows)
    run("git", "add", "data")
    return commit(message)


def commit(message: str) -> bool:
    """Commit what is staged; whether git took it."""
    return run("git", "commit", "--message", message, check=False).returncode == 0


def says_violated() -> bool:
    """Whether the gate itself is what blocked: the staged change again, now answered from the store."""
    command = ("d2b-gate", "check", "--format", "concise", "--output-file", f"json={RESULT}")
    return run(*command, check=False).returncode == VIOLATED


def quarantined() -> bool:
    """Whether the gate found rows to take out, and took them out of the index and the file."""
    return run("d2b-gate", "quarantine", RESULT, "--write", check=False).returncode == 0


def run(*command: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
    """Show a command and run it in the demo repository."""
    print(f"\n$ {' '.join(command)}", flush=True)
    return subprocess.run(command, cwd=DEMO, env=environment(), check=check)


def output(*command: str) -> str:
    """What a command prints."""
    return subprocess.run(command, env=environment(), check=True, capture_output=True, text=True).stdout.strip()


def environment() -> dict[str, str]:
    """This environment's tools first, a fixed author, and none of CI's rules: a developer's own machine."""
    tools = str(Path(sys.executable).parent)
    person = {"NAME": "A. Maintainer", "EMAIL": "maintainer@example.com"}
    author = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in person.items()}
    kept = {key: value for key, value in os.environ.items() if key != "CI" and not key.startswith("GIT_")}
    return {**kept, **author, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}


if __name__ == "__main__":
    sys.exit(main())
