"""The text of the waivers' file with an entry more, or some less; everything else stays as it was, byte for byte."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import tomlkit

from d2b_gate.cli.output import write_whole
from d2b_gate.core.errors import EvaluationError, UsageError
from d2b_gate.core.toml import parse
from d2b_gate.policy.locate import locate
from d2b_gate.policy.waivers import FILE

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from d2b_gate.core.waivers import Waiver

_FRESH = "schema = 1\n"
_HEADER = re.compile(r"^[ \t]*\[\[[ \t]*waiver[ \t]*\]\]", re.MULTILINE)


def entry_text(text: str, waiver: Waiver) -> str:
    """The text with a waiver appended; of an empty text, a whole file."""
    _require_tables(text)
    table = tomlkit.table()
    table["rule"] = waiver.rule
    if waiver.paths:
        table["paths"] = list(waiver.paths)
    if waiver.rows_hash:
        table["data"] = waiver.rows_hash
    table["max_delta"] = waiver.max_delta
    table["owner"] = waiver.owner
    table["approver"] = waiver.approver
    table["reason"] = waiver.reason
    table["expires"] = date.fromisoformat(waiver.expires)
    tables = tomlkit.aot()
    tables.append(table)
    document = tomlkit.document()
    document["waiver"] = tables
    head = (text or _FRESH).rstrip("\r\n")
    return f"{head}\n\n{tomlkit.dumps(document).strip()}\n"


def without_entries(text: str, gone: Collection[int]) -> str:
    """The text without the waivers of these indices (from 0), each with the comment right above it.

    Lines are cut here, and not by tomlkit, which takes a comment above a table for a part of the table before.
    """
    _require_tables(text)
    lines, places = text.split("\n"), locate(text)
    count = sum(1 for path in places if len(path) == 2 and path[0] == "waiver")
    headers = [places["waiver", index] - 1 for index in range(count)]
    cut = {line for index in gone for line in _extent(lines, headers[index], [*headers, len(lines)][index + 1])}
    kept = [line for number, line in enumerate(lines) if number not in cut]
    return "\n".join(kept).rstrip("\r\n") + "\n"


def _require_tables(text: str) -> None:
    entries = parse(text, FILE).get("waiver")
    if isinstance(entries, list) and len(entries) != len(_HEADER.findall(text)):
        remedy = "write each as a [[waiver]] table of its own"
        raise UsageError("the waivers are written as one list", where=FILE, remedy=remedy)


def _extent(lines: Sequence[str], header: int, end: int) -> range:
    """The lines of one waiver: the comment right above it, its keys, and the blank lines after them."""
    start = header
    while start and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    last = max(number for number in range(header, end) if _says_something(lines[number]))
    after = last + 1
    while after < end and not lines[after].strip():
        after += 1
    return range(start, after)


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def write_file(root: Path, text: str) -> None:
    """Write the waivers' file of the working tree, at once or not at all."""
    try:
        write_whole(root / FILE, text)
    except OSError as error:
        raise EvaluationError(f"cannot be written ({error.strerror})", where=FILE) from error
