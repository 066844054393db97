"""Which device class a model will run on, told without importing torch."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
from pathlib import Path

from d2b_gate.core.errors import UsageError

DEVICES = ("cpu", "cuda", "mps")


def device_class(wanted: str) -> str:
    """Return the wanted device class; for ``auto`` the best that this machine and the installed torch offer."""
    if wanted in DEVICES:
        return wanted
    if wanted != "auto":
        raise UsageError(f"unknown device {wanted!r}", remedy=f"use auto, {', '.join(DEVICES)}")
    if _has_cuda():
        return "cuda"
    return "mps" if sys.platform == "darwin" and platform.machine() == "arm64" else "cpu"


def _has_cuda() -> bool:
    """A visible NVIDIA device, and a torch that was built for it."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and visible.strip() in {"", "-1"}:
        return False
    device = any(Path("/dev").glob("nvidia[0-9]*")) or shutil.which("nvidia-smi") is not None
    return device and _torch_has_cuda()


def _torch_has_cuda() -> bool:
    """Look for torch's CUDA library; builds for the CPU lack it, whatever their version is called."""
    found = importlib.util.find_spec("torch")
    folders = (found.submodule_search_locations or []) if found else []
    names = ("libtorch_cuda.so", "torch_cuda.dll")
    return any((Path(folder) / "lib" / name).is_file() for folder in folders for name in names)
