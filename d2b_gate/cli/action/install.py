"""Second step: an interpreter with what the gate imports; a given one is used as it is and nothing in it changed."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

from d2b_gate.cli.action.runner import asked, output, run_unheard
from d2b_gate.core.errors import EvaluationError, UsageError

ROOT = Path(__file__).parents[3]
"""The action's own checkout, so that what is installed is what its ref says."""

NEEDED = ("jsonschema", "platformdirs", "pydantic", "requests", "rich", "tomlkit")
"""What the light installation imports; before Python 3.11 tomli besides."""

EXTRAS = {
    "model": ("torch", "transformers", "accelerate", "peft", "safetensors", "numpy", "gguf"),
    "parquet": ("pyarrow",),
    "zstd": ("zstandard",),
    "html": ("jinja2", "matplotlib"),
    "remote": ("numpy", "safetensors", "filelock"),
    "sign": ("securesystemslib", "cryptography"),
}
"""What the extras that a job may need bring."""

_DEFAULT = {"evaluate": "model,parquet,zstd,html", "structure": "parquet,zstd"}


def run() -> int:
    """Write ``python``: the given interpreter where it has everything, else one of an environment of this job."""
    given = bool(asked("python-given"))
    extras = _extras(asked("extras") or ("" if given else _DEFAULT[asked("mode")]))
    if given and not _missing(extras):
        output("python", sys.executable)
        return 0
    folder = Path(asked("folder")) / "environment"
    python = layered(folder) if given else fresh(folder)
    wanted = f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT)
    argv = [str(python), "-I", "-m", "pip", "install", "--disable-pip-version-check", "--no-input", wanted]
    code, last = run_unheard(argv, os.environ, folder)
    if code:
        what = f"the gate cannot be installed ({(last or ['pip said nothing'])[-1]})"
        raise EvaluationError(what, remedy="give the input 'python' an interpreter that has it, or a reachable index")
    output("python", str(python))
    return 0


def _extras(text: str) -> tuple[str, ...]:
    names = tuple(name for name in re.split(r"[,\s]+", text) if name)
    unknown = [name for name in names if name not in EXTRAS]
    if unknown:
        known = ", ".join(EXTRAS)
        raise UsageError(f"the input 'extras' names {unknown[0]!r}, which is none of {known}", remedy="correct it")
    return names


def _missing(extras: tuple[str, ...]) -> list[str]:
    old = ("tomli",) if sys.version_info < (3, 11) else ()
    wanted = (*NEEDED, *old, *(name for extra in extras for name in EXTRAS[extra]))
    return [name for name in wanted if importlib.util.find_spec(name) is None]


def fresh(folder: Path) -> Path:
    """Make an environment of this job; returns its interpreter.

    Raises:
        EvaluationError: the module venv, or pip in it, is missing.
    """
    done = subprocess.run(
        [sys.executable, "-I", "-m", "venv", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines() or ["it said nothing"]
        raise EvaluationError(f"python -m venv failed ({said[0]})", remedy="install it (Debian: python3-venv)")
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def layered(folder: Path) -> Path:
    """Make one that sees all that the given interpreter has, so that pip adds only what is absent there."""
    python = fresh(folder)
    seen = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    lines = "".join(f"import site; site.addsitedir({path!r})\n" for path in seen)
    own = next(folder.glob("[Ll]ib*/**/site-packages"))
    (own / "given-interpreter.pth").write_text(lines, encoding="utf-8")
    return python
