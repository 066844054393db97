"""What a person is told once: that rows leave this machine, and where to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from d2b_gate.core.ports import Progress


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
