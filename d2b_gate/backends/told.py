"""Of backends elsewhere: where what they said is kept, and that a person is told once where rows go."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from d2b_gate.core.ports import Progress

REMOTES = "remotes"
"""What was computed elsewhere, by origin."""
RAYS = "rays"
"""What clusters computed, by address."""


def apart(cache: Path, kind: str, address: str) -> Path:
    """Where everything lies that an address said: apart, for what one says of a model no other run believes."""
    import hashlib

    return cache / kind / hashlib.sha256(address.encode()).hexdigest()[:16]


def tell_once(folder: Path, address: str, text: str, progress: Progress) -> None:
    """Say ``text`` at the first use of an address, of which ``folder`` keeps a mark; every report says it anyway."""
    mark = folder / "told"
    if mark.exists():
        return
    progress.note(text)
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(address + "\n", encoding="utf-8")
    except OSError:
        return  # then it is said again
