"""The connection of this process to a cluster: one, quiet, without telemetry, and ended with the process."""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import io
import logging
import os
import secrets
import shutil
import socket
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from d2b_gate.backends.ray.settings import LOCAL, local_cores
from d2b_gate.core.errors import UnavailableError, UsageError
from d2b_gate.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

STORE_BYTES = 512 * 2**20  # of results on their way in a local cluster; past this Ray spills to its own directory
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".*",  # every line: Ray tells of lost workers on stdout, where the report goes
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # or it warns
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
}
GREETING = 10.0  # seconds of trying to reach a cluster at all; a hook may then leave the judgement to CI
_INSTALL = 'run: pip install "d2b-gate[ray]"'


@dataclass
class _Connection:
    address: str
    folder: Path


_connections: list[_Connection] = []


def require_ray() -> None:
    """See that Ray is installed, without importing it.

    Raises:
        UnavailableError: it is not.
    """
    if importlib.util.find_spec("ray") is None:
        raise UnavailableError("a ray backend needs ray, which is not installed", remedy=_INSTALL)


def connect(address: str) -> Any:  # noqa: ANN401 - the module `ray`, which is untyped and imported late
    """Start a local cluster or join the one at ``address``; returns the module `ray`. A second call changes nothing.

    Raises:
        UnavailableError: Ray is not installed, nothing answers, or it is of another version.
        UsageError: this process is connected to another cluster.
    """
    require_ray()
    _prepare_environment(address)
    import ray

    if _connections:
        if _connections[0].address != address:
            raise UsageError("a process has one ray cluster", remedy="use the same address, or another process")
        return ray
    _require_listening(address)
    folder = _new_folder()
    connection = _Connection(address, folder)
    try:
        with _elsewhere(folder), _muted():
            ray.init(**_options(address, folder))
    except (ray.exceptions.RayError, OSError, RuntimeError, ValueError, AssertionError, ImportError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise _unreachable(address, error) from error
    _connections.append(connection)
    atexit.register(disconnect)
    return ray


def _new_folder() -> Path:
    """A directory of this user's alone for a cluster's sockets and logs.

    In /tmp wherever there is one: the path of a socket has a hundred bytes, and ``TMPDIR`` may use them up.
    """
    parent = "/tmp" if os.name == "posix" else None
    return Path(tempfile.mkdtemp(prefix="d2b-ray-", dir=parent))


def disconnect() -> None:
    """End a local cluster, or leave the other one; what its workers held for this process ends with that."""
    while _connections:
        import ray

        connection = _connections.pop()
        with _muted(), contextlib.suppress(ray.exceptions.RayError, OSError, RuntimeError):
            ray.shutdown()
        shutil.rmtree(connection.folder, ignore_errors=True)


def _prepare_environment(address: str) -> None:
    """Set what Ray reads when it is imported, and what the processes read that it starts.

    Whoever can talk to a cluster can run code in it: on a machine with other users it must know a secret.
    """
    os.environ.update(_QUIET)
    if address == LOCAL and "ray" not in sys.modules:
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))


def _options(address: str, folder: Path) -> dict[str, Any]:
    quiet: dict[str, Any] = {
        "address": address,
        "log_to_driver": False,
        "configure_logging": False,
        "logging_level": logging.CRITICAL,
    }
    if address != LOCAL:
        return quiet
    return {
        **quiet,
        "include_dashboard": False,
        **local_cores(),
        "object_store_memory": STORE_BYTES,
        "_temp_dir": str(folder / "s"),  # Ray makes its own for everybody; the one above is this user's alone
        "_node_ip_address": "127.0.0.1",
    }


def _require_listening(address: str) -> None:
    """Ask whether anything takes a connection there; Ray itself tries for half a minute."""
    if not address.startswith("ray://"):
        return
    parts = urlsplit(address)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=GREETING):
            return
    except OSError as error:
        raise _unreachable(address, error) from error


def _unreachable(address: str, error: BaseException) -> UnavailableError:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    first = f"{lines[0]} {lines[-1]}" if lines[0].endswith(":") else lines[0]
    if address == LOCAL:
        return UnavailableError(
            f"no ray cluster can be started on this machine ({printable(first[:200])})",
            remedy='use backend.kind = "local", which needs none',
        )
    return UnavailableError(
        f"no ray cluster answers at {printable(address)} ({printable(first[:200])})",
        remedy="start it (ray start --head), with the Ray and Python of this machine, or correct the address",
    )


@contextlib.contextmanager
def _elsewhere(folder: Path) -> Iterator[None]:
    """Connect from an empty directory: Ray puts the current one on its workers' import path, and that is a checkout."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextlib.contextmanager
def _muted() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
