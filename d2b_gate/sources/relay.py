"""A bare repository of our own, for one errand: in it git reads no configuration, ref or graft of a checkout."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from d2b_gate.core.errors import UsageError
from d2b_gate.sources.process import environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SAFE: Final = (
    *("core.fsmonitor=false", f"core.hooksPath={os.devnull}", "core.sshCommand=false", "core.alternateRefsCommand="),
    *("credential.helper=", "protocol.ext.allow=never", "fetch.recurseSubmodules=false", "gc.auto=0"),
    *("maintenance.auto=false", "core.commitGraph=false", "core.askPass="),
)
_OF_ANOTHER: Final = (
    *("GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_GRAFT_FILE", "GIT_INDEX_FILE", "GIT_NAMESPACE"),
    *("GIT_SHALLOW_FILE", "GIT_WORK_TREE"),
)
"""Variables with which git is told of another repository than the one that it runs in."""


@dataclass(frozen=True, slots=True)
class Relay:
    """The repository; it is gone after its errand."""

    place: Path

    def git(self, *arguments: str, objects: Path | str = "", url: str = "", token: str = "") -> Done:
        """Run git; with ``objects`` of another repository it finds and leaves them there, and in the own place without.

        The token is sent to the server of ``url``, and to no other.
        """
        kept = {name: value for name, value in environment().items() if name not in _OF_ANOTHER}
        own = {"GIT_DIR": str(self.place), "GIT_OBJECT_DIRECTORY": str(objects or self.place / "objects")}
        return run(self.place, {**kept, **own, **authorisation(url, token)}, *arguments)

    def is_shallow(self) -> bool:
        """Whether a history here is cut."""
        return (self.place / "shallow").exists()


@contextmanager
def relay(like: str = "") -> Iterator[Relay]:
    """Make one for commits like this; sixty-four digits are those of a repository that hashes with SHA-256.

    Raises:
        UsageError: there is no git, or no place for it.
    """
    with tempfile.TemporaryDirectory(prefix="d2b-gate-git-") as folder:
        made = Relay(Path(folder).resolve())
        done = made.git("init", "--quiet", "--bare", "--template=", *(["--object-format=sha256"] * (len(like) == 64)))
        if done.returncode:
            raise UsageError("git cannot make a repository", where=folder, remedy="install a git from 2.29 on")
        yield made


Done = subprocess.CompletedProcess[bytes]


def run(place: Path, variables: Mapping[str, str], *arguments: str) -> Done:
    """Run git; settings of the command line stand above all others.

    Raises:
        UsageError: there is no git.
    """
    settings = [part for setting in _SAFE for part in ("-c", setting)]
    told = {**variables, "GIT_NO_REPLACE_OBJECTS": "1"}
    try:
        return subprocess.run(["git", *settings, *arguments], cwd=place, env=told, capture_output=True, check=False)
    except OSError as error:
        what = f"git cannot be started ({error.strerror})"
        raise UsageError(what, remedy="install git and put it on PATH") from error


def authorisation(url: str, token: str) -> dict[str, str]:
    """The token as a header, in the environment: neither on disk nor in a list of processes.

    An empty value first takes back the header that actions/checkout may have stored; two would be refused.
    """
    match = re.match(r"https?://[^/]+/", url)
    if not token or match is None:
        return {}
    secret = base64.b64encode(f"x-access-token:{token}".encode()).decode("ascii")
    values = ("", f"AUTHORIZATION: basic {secret}")
    first = int(os.environ.get("GIT_CONFIG_COUNT") or 0)  # after what the runner's owner set in the same way
    named = {f"GIT_CONFIG_KEY_{first + index}": f"http.{match[0]}.extraheader" for index in range(len(values))}
    given = {f"GIT_CONFIG_VALUE_{first + index}": value for index, value in enumerate(values)}
    return {"GIT_CONFIG_COUNT": str(first + len(values)), **named, **given}
