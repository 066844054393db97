"""The warm backend: a server on this machine that this user's first check starts and later ones find running.

It listens on loopback with a random token in the user's private cache, keeps the model loaded, and ends by itself after
half an hour without a request.
"""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from d2b_gate import __version__
from d2b_gate.backends.remote.opening import connect, require_libraries, said_model
from d2b_gate.core.errors import UnavailableError, UsageError
from d2b_gate.core.fingerprint import fingerprint

if TYPE_CHECKING:
    from d2b_gate.backends.remote.backend import RemoteBackend
    from d2b_gate.backends.remote.binding import Bound
    from d2b_gate.core.ports import Progress
    from d2b_gate.core.rules import ModelSpec

IDLE = 1_800  # seconds without a request after which it ends
PATIENCE = 60.0  # seconds for a server to listen: it imports FastAPI, and loads no model before its first job
SERVING = ("fastapi", "uvicorn", "prometheus_client", "filelock")
_NAME = 16  # characters of a hash that names a server's files


@dataclass(frozen=True, slots=True)
class Place:
    """Files of one warm server: where it listens, its token, its log, and the lock of who starts it."""

    folder: Path
    name: str

    def file(self, suffix: str) -> Path:
        """One of them."""
        return self.folder / f"{self.name}.{suffix}"

    def bound(self) -> Bound | None:
        """Where it said that it listens, if it ever did."""
        from d2b_gate.backends.remote.binding import Bound

        try:
            said = json.loads(self.file("ready").read_text(encoding="utf-8"))
            return Bound(str(said["url"]), self.file("token").read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError):
            return None


def open_backend(
    spec: ModelSpec, cache: Path, checkout: Path | None, progress: Progress, url: str = ""
) -> RemoteBackend:
    """Return the backend of a policy's model on this machine's warm server, started if there is none.

    Raises:
        UnavailableError: there is none, and it cannot be started here.
    """
    del url
    require_libraries()
    spec = _absolute(spec, cache, checkout)
    place = Place(cache / "warm", _name(spec))
    found = _connected(place, spec, progress)
    if found is not None:
        return found
    _require_server()
    from filelock import FileLock, Timeout

    _make_private(place.folder)
    try:
        with FileLock(str(place.file("lock")), timeout=PATIENCE):  # two commits at once start one server
            found = _connected(place, spec, progress)
            if found is not None:
                return found
            progress.note("a server that keeps the model loaded is started; it ends half an hour after its last use")
            _start(place, spec)
    except Timeout:
        raise UnavailableError(
            "another check has been starting the warm server for a minute", where=str(place.file("log")), remedy=_RETRY
        ) from None
    found = _connected(place, spec, progress)
    if found is None:
        raise UnavailableError(f"the warm server does not answer{_last_words(place)}", remedy=_RETRY)
    return found


_RETRY = "try again, or use --backend local"


def _absolute(spec: ModelSpec, cache: Path, checkout: Path | None) -> ModelSpec:
    """A directory by its whole path: the server has no checkout, and a relative one is another model in another."""
    from d2b_gate.backends.hf.models.builtin import PREFIX
    from d2b_gate.backends.hf.models.locate import locate

    if spec.revision or spec.id.startswith(PREFIX):
        return spec
    return replace(spec, id=str(locate(spec, cache, checkout).path.resolve()))


def _name(spec: ModelSpec) -> str:
    """A server is for one version of the gate and one model on one device."""
    return fingerprint("warm", (__version__, dict(said_model(spec)), spec.device))[:_NAME]


def _connected(place: Place, spec: ModelSpec, progress: Progress) -> RemoteBackend | None:
    server = place.bound()
    if server is None or not _listens(server) or not own_socket(urlsplit(server.url).port or 0):
        return None
    try:
        return connect(server, spec, progress, patience=2.0)
    except UnavailableError:
        return None
    except UsageError:  # another process has its port by now, and does not know the token
        return None


def own_socket(port: int, table: Path = Path("/proc/net/tcp")) -> bool:
    """Whether this user's own process listens on a port of this machine, where the system tells.

    A server that ended leaves its port behind, on which another user's process may wait for its token.
    """
    try:
        lines = table.read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return True  # no Linux; what is left then is that the other one does not know the token
    listening = (line.split() for line in lines)
    owners = {int(one[7]) for one in listening if one[3] == "0A" and int(one[1].rpartition(":")[2], 16) == port}
    return owners == {os.getuid()}


def _make_private(folder: Path) -> None:
    """The folder of tokens and logs, this user's alone.

    Raises:
        UnavailableError: it is somebody else's.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if os.name != "posix":
        return
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise UnavailableError("belongs to another user", where=str(folder), remedy="name a cache directory of yours")
    folder.chmod(0o700)


def _listens(server: Bound) -> bool:
    """Whether anything takes a connection there, so that nobody waits for a server that ended."""
    import socket

    parts = urlsplit(server.url)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=1.0):
            return True
    except OSError:
        return False


def _require_server() -> None:
    missing = [library for library in (*SERVING, "torch") if importlib.util.find_spec(library) is None]
    if missing:
        raise UnavailableError(
            f"no warm server runs, and none can be started from here: no {', '.join(missing)}",
            remedy='run: pip install "d2b-gate[model,serve]"',
        )


def _start(place: Place, spec: ModelSpec) -> None:
    """Start a server that outlives this process, and wait until it listens."""
    token = secrets.token_urlsafe(32)
    place.file("ready").unlink(missing_ok=True)
    _write_private(place.file("token"), token)
    command = [sys.executable, "-P"] if sys.version_info >= (3, 11) else [sys.executable]
    command += ["-m", "d2b_gate", "serve", "--port", "0", "--ready-file", str(place.file("ready"))]
    command += ["--idle", str(IDLE), "--state", str(place.file("state")), "--dtype", spec.dtype]
    command += ["--device", spec.device, "--model", f"{spec.id}@{spec.revision}" if spec.revision else spec.id]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    with place.file("log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=place.folder,  # no checkout: nothing of one is imported or held
            env={**environment, "D2B_GATE_SERVE_TOKEN": token},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # an interrupt of this check is none of the server's
        )
    deadline = time.monotonic() + PATIENCE
    while not place.file("ready").exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise UnavailableError(f"the warm server did not start{_last_words(place)}", remedy=_RETRY)
        time.sleep(0.02)


def _write_private(path: Path, text: str) -> None:
    """Write a file that is this user's alone from its first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _last_words(place: Place) -> str:
    """The last line of the server's log, for whoever has to know why."""
    try:
        lines = place.file("log").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return f" ({lines[-1][:200]})" if lines else ""
