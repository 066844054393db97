"""Patches as git writes and takes them, whatever the user's settings, attributes and file names are."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError
from d2b_gate.sources.errors import first_line
from d2b_gate.sources.process import command, environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DIFF = (
    *("-c", f"core.attributesFile={os.devnull}", "diff", "--no-index", "--no-prefix", "--full-index", "--text"),
    *("--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--", "a", "b"),
)
_APPLY = ("-c", "apply.ignoreWhitespace=no", "apply", "--whitespace=nowarn")
_SAME, _DIFFERENT = 0, 1


@dataclass(frozen=True, slots=True)
class Changed:
    """A file and what becomes of it."""

    path: str
    mode: str
    before: bytes
    after: bytes


def patch_of(file: Changed) -> bytes:
    """Return a unified diff that `git apply` takes; nothing where the file stays as it is.

    Raises:
        EvaluationError: git, or the temporary directory, cannot be used.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="d2b-gate-") as folder:
            for side, content in (("a", file.before), ("b", file.after)):
                _lay(Path(folder) / side, file, content)
            done = _run(_DIFF, Path(folder), _outside(folder), b"")
    except OSError as error:
        what = f"no patch can be made in the temporary directory ({error.strerror})"
        raise EvaluationError(what, remedy="name another with TMPDIR") from error
    if done.returncode not in (_SAME, _DIFFERENT):
        raise EvaluationError(f"git diff failed: {first_line(done.stderr)}", remedy="run it by hand to see more")
    return done.stdout


def _lay(folder: Path, file: Changed, content: bytes) -> None:
    place = folder / file.path
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    place.chmod(0o755 if file.mode == "100755" else 0o644)


def _outside(folder: str) -> dict[str, str]:
    """An environment in which git sees neither a repository nor anybody's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    ceiling = str(Path(folder).resolve().parent)
    own = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CEILING_DIRECTORIES": ceiling}
    return {**kept, **own}


def applies(root: Path, patch: bytes) -> bool:
    """Whether the files of the working tree take a patch."""
    return _run((*_APPLY, "--check", "-"), root, environment(), patch).returncode == 0


def apply_to_index(root: Path, patch: bytes) -> None:
    """Change the index, all of it or nothing; the working tree stays as it is."""
    _apply(root, patch, "--cached")


def apply_to_files(root: Path, patch: bytes) -> None:
    """Change the working tree, all of it or nothing; the index stays as it is."""
    _apply(root, patch)


def _apply(root: Path, patch: bytes, *where: str) -> None:
    done = _run((*_APPLY, *where, "-"), root, environment(), patch)
    if done.returncode:
        what = f"the patch does not apply ({first_line(done.stderr)}), and nothing was changed by it"
        raise EvaluationError(what, remedy="bring the files back to what was judged, or judge them again")


def blob_id(root: Path, content: bytes) -> str:
    """Return the id that git gives to a blob; nothing is written."""
    done = _run(("hash-object", "--stdin"), root, environment(), content)
    if done.returncode:
        raise EvaluationError(f"git hash-object failed: {first_line(done.stderr)}", remedy="run it by hand")
    return done.stdout.decode("ascii").strip()


def _run(
    arguments: Sequence[str], root: Path, variables: Mapping[str, str], fed: bytes
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command(arguments), cwd=root, env=variables, input=fed, capture_output=True, check=False)
