"""The libraries behind a model: are they there, and kept quiet."""

from __future__ import annotations

import importlib.util
import io
import os
import warnings
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING

from d2b_gate.core.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator


def require(*libraries: str) -> None:
    """Raise UnavailableError if one is not installed; imports none."""
    missing = [library for library in libraries if importlib.util.find_spec(library) is None]
    if missing:
        raise UnavailableError(
            f"running a model needs {' and '.join(missing)}", remedy='run: pip install "d2b-gate[model]"'
        )


def calm_threads() -> None:
    """Let OpenMP's waiting threads sleep; spinning ones slow a shared machine. Binds before torch is imported.

    Large tensors get large pages where the system has them to give: a step's activations begin in new ones.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


@contextmanager
def silenced() -> Iterator[None]:
    """Keep progress bars, warnings and advice of transformers out of the caller's output; errors still raise."""
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call] # transformers leaves these two untyped
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def one_line(error: BaseException) -> str:
    """Return the first line of an error's text, printable."""
    first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return "".join(char for char in first if char.isprintable()).strip()
