"""`doctor --ci`: whether somebody has to agree before the policy, the waivers or a workflow change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.cli.doctor_check import Check
from d2b_gate.sources.globs import Globs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""In the order in which GitHub looks; the first that exists counts."""


def owner_checks(root: Path, paths: Sequence[str]) -> Iterator[Check]:
    """Check that each path has an owner; the last pattern that matches says who, and may say nobody."""
    place = next((name for name in PLACES if (root / name).is_file()), "")
    if not place:
        remedy = f"write {PLACES[0]}, and require its reviews in a ruleset"
        yield Check(
            "owners", "missing", "there is no CODEOWNERS file: anybody who may merge may edit the policy", remedy
        )
        return
    lines = _lines((root / place).read_text(encoding="utf-8", errors="replace"))
    unowned = [path for path in paths if not _owners(path, lines)]
    if unowned:
        remedy = f"add to {place}: /{unowned[0]} @your-org/data-safety"
        yield Check("owners", "missing", f"nobody owns {', '.join(unowned)}", remedy)
    else:
        yield Check("owners", "ok", f"{place} names owners of {', '.join(paths)}")


def _lines(text: str) -> list[tuple[Globs, list[str]]]:
    words = [line.partition("#")[0].split() for line in text.splitlines()]
    return [(_pattern(pattern), owners) for pattern, *owners in filter(None, words)]


def _pattern(pattern: str) -> Globs:
    """As in a .gitignore: a slash before the last character binds it to the root, and a directory means all below."""
    bare = pattern.rstrip("/")
    rooted = bare if "/" in bare else f"**/{bare}"
    return Globs((f"{rooted}/**",) if pattern.endswith("/") else (rooted, f"{rooted}/**"))


def _owners(path: str, lines: Sequence[tuple[Globs, list[str]]]) -> list[str]:
    return next((owners for globs, owners in reversed(lines) if globs.matches(path)), [])
