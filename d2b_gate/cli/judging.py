"""A verdict for `check`: the one that is known, or a new one. What judges is imported only where it is needed."""

from __future__ import annotations

import os
import sys
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.blessed import BASELINE
from d2b_gate.cli.calibrations import CALIBRATION
from d2b_gate.gate.remembered import Setting, remembered
from d2b_gate.probes.catalogue import pack_root
from d2b_gate.sources.pointers import stands_for_itself

if TYPE_CHECKING:
    from collections.abc import Iterator

    from d2b_gate.cli.context import Standpoint
    from d2b_gate.core.change import FileRef
    from d2b_gate.core.verdict import Verdict
    from d2b_gate.gate.ports import Ports, Request
    from d2b_gate.sources.git import Repository

LARGEST_POINTER = 4096
"""Bytes; our choice: a Git LFS pointer has 130, and no large file is read to see that it is none."""


def judged(request: Request, stand: Standpoint, ports: Ports) -> Verdict:
    """Return the verdict, by the store if it knows one that nothing has outdated."""
    beside = (CALIBRATION, BASELINE, *(spec.row_schema for spec in request.policy.datasets if spec.row_schema))
    files = stand.repository.files_at(stand.policy_ref, tuple(dict.fromkeys(beside)))
    setting = Setting(program(), stand.mode, files, partial(_holds_its_rows, stand.repository))
    return remembered(request, setting, ports, lambda: _judged_anew(request, stand, ports))


def _judged_anew(request: Request, stand: Standpoint, ports: Ports) -> Verdict:
    from d2b_gate.cli.judge_since import since_baseline
    from d2b_gate.gate.check import run

    return since_baseline(run(request, ports), request, stand, ports)


def _holds_its_rows(repository: Repository, file: FileRef) -> bool:
    if file.path.endswith(".dvc"):
        return False
    return repository.blob_size(file.oid) > LARGEST_POINTER or stands_for_itself(repository, file)


def program() -> str:
    """Name the installed code and what ships with it, by the sizes and dates of its files: no two builds share one."""
    package = Path(__file__).parent.parent
    digest = sha256(sys.version.encode())
    for root in (package, pack_root()):
        for entry in sorted(_stamps(str(root))):
            digest.update(entry.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _stamps(folder: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _stamps(entry.path)
            elif entry.name.endswith((".py", ".toml", ".json", ".jsonl")):
                status = entry.stat()
                yield f"{entry.path}\0{status.st_size}\0{status.st_mtime_ns}\n"
