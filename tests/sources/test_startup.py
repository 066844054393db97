"""What a hook with nothing to do imports."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
before = set(sys.modules)
from pathlib import Path
from d2b_gate.sources.git import find_repository
from d2b_gate.sources.globs import Globs
with find_repository(Path({root!r})) as repository:
    assert not any(Globs(("**/*.jsonl",)).concerns(change.path) for change in repository.staged_changes())
print(*sorted({{name.partition(".")[0] for name in set(sys.modules) - before}}))
"""

HEAVY = {"json", "hashlib", "logging", "asyncio", "tempfile", "pydantic", "numpy", "csv", "shlex", "shutil"}


def test_a_hook_with_nothing_to_do_imports_little(git):
    git.stage("a.py", "pass")
    code = CODE.format(root=str(git.root))
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
    if "No module named 'd2b_gate'" in done.stderr:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "subprocess" in loaded
    assert not loaded & HEAVY
