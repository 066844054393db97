"""Who may ask: names and their tokens, kept as hashes and compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.core.errors import UsageError
from d2b_gate.core.toml import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

ENVIRONMENT = "D2B_GATE_SERVE_TOKEN"
SHORTEST = 24
"""Characters. Our choice: 96 bits of hexadecimal; fewer are within reach of somebody who can ask fast."""
LONGEST = 1024
_REMEDY = "write a long random one, for example from: openssl rand -hex 32"
_HIDDEN = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Owner:
    """One token's side of the server. ``place`` names its rows, jobs and folder; a new token of the name keeps them."""

    name: str

    @property
    def place(self) -> str:
        """A name for folders and tables that says nothing and holds no odd characters."""
        return hashlib.sha256(self.name.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Owners by the sha256 of their tokens."""

    by_digest: tuple[tuple[bytes, Owner], ...]

    def owners_of(self, presented: bytes) -> tuple[Owner, ...]:
        """Who presented this; nobody, for a token that is none. Takes equally long whichever it is."""
        digest = hashlib.sha256(presented).digest()
        return tuple([owner for known, owner in self.by_digest if hmac.compare_digest(known, digest)])


def read_tokens(file: str, environment: Mapping[str, str]) -> Tokens:
    """Tokens of a file (``name = "token"``) and of the environment, where there are such.

    Raises:
        UsageError: there are none; one is too short or not printable ASCII; the file can be read by others.
    """
    named = dict(_from_file(Path(file))) if file else {}
    single = environment.get(ENVIRONMENT, "")
    if single:
        named["environment"] = single
    if not named:
        raise UsageError(
            "a server needs a token, and there is none",
            remedy=f"name a file of them with --tokens, or set {ENVIRONMENT}",
        )
    for name, token in named.items():
        _check(name, token)
    if len(set(named.values())) < len(named):
        raise UsageError("two names have the same token", where=file, remedy="give each client its own")
    return Tokens(tuple((hashlib.sha256(token.encode()).digest(), Owner(name)) for name, token in named.items()))


def _from_file(file: Path) -> dict[str, str]:
    try:
        mode = file.stat().st_mode
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("the file of tokens cannot be read", where=str(file), remedy="correct --tokens") from error
    if os.name == "posix" and mode & _HIDDEN:
        raise UsageError("others can read the file of tokens", where=str(file), remedy=f"run: chmod 600 {file}")
    table = parse(text, str(file))
    for name, token in table.items():
        if not isinstance(token, str):
            raise UsageError(f"the token of {name!r} is no text", where=str(file), remedy='write: name = "token"')
    return {name: str(token) for name, token in table.items()}


def _check(name: str, token: str) -> None:
    if not SHORTEST <= len(token) <= LONGEST:
        raise UsageError(f"the token of {name!r} is not {SHORTEST} to {LONGEST} characters long", remedy=_REMEDY)
    if not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(f"the token of {name!r} is not of printable ASCII without spaces", remedy=_REMEDY)
