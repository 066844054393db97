"""DVC files (``data.jsonl.dvc``): the few lines of YAML that DVC writes, read by hand."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.sources.errors import unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_BYTES = 1 << 20  # our choice: DVC writes a few hundred bytes
_MD5 = re.compile(r"[0-9a-f]{32}(?:\.dir)?")
_PAIR = re.compile(r"(?P<key>\w+):(?:\s+(?P<value>.*?))?\s*")
_DOUBLE = re.compile(r'"[^"\\]*"')
_SINGLE = re.compile(r"'(?:[^']|'')*'")


@dataclass(frozen=True, slots=True)
class Output:
    """One output: path in the repository, md5 (a directory's ends in ``.dir``), and whether DVC before 3 wrote it."""

    path: str
    md5: str
    legacy: bool


def outputs(content: bytes, path: str) -> tuple[Output, ...]:
    """Read the outputs of the DVC file at ``path``; refuses YAML that DVC does not write."""
    try:
        lines = content.decode("utf-8").splitlines() if len(content) <= _MAX_BYTES else []
        entries, top = _parse(lines)
        found = tuple(_output(entry, top.get("wdir", "."), path) for entry in entries)
    except ValueError as error:
        raise unreadable(f"is no DVC file that can be read ({error})", path, "run: dvc add, and commit it") from error
    if not found:
        raise unreadable("is a DVC file without outputs", path, "run: dvc add, and commit it")
    return found


def _parse(lines: Iterable[str]) -> tuple[list[dict[str, str]], dict[str, str]]:
    """Return the items of ``outs`` and the pairs at the top level; other sections (``deps``, ``meta``) are skipped."""
    entries: list[dict[str, str]] = []
    top: dict[str, str] = {}
    section, depth = "", 0
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        indent = len(line) - len(line.lstrip(" "))
        if indent == 0 and not line.startswith("- "):
            section, value = _pair(line)
            top[section] = value
            continue
        if section != "outs":
            continue
        body = line.strip()
        if body.startswith("- "):
            body = body[2:].lstrip()
            depth = line.index(body)
            entries.append({})
        if not entries:
            raise ValueError("outs is not a list")
        if line.rindex(body) == depth:
            key, value = _pair(body)
            entries[-1][key] = value
    return entries, top


def _pair(text: str) -> tuple[str, str]:
    match = _PAIR.fullmatch(text)
    if match is None:
        raise ValueError("a line is not a key and a value")
    return match["key"], _scalar(match["value"] or "")


def _scalar(text: str) -> str:
    if _DOUBLE.fullmatch(text):
        return text[1:-1]
    if _SINGLE.fullmatch(text):
        return text[1:-1].replace("''", "'")
    if text[:1] in ("'", '"', "&", "*", "!", "|", ">", "{", "["):
        raise ValueError("a value is written in a form that DVC seldom uses")
    return text


def _output(entry: dict[str, str], directory: str, pointer: str) -> Output:
    md5, name = entry.get("md5", ""), entry.get("path", "")
    if not _MD5.fullmatch(md5) or not name:
        raise ValueError("an output has no md5 or no path")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(pointer), directory, name))
    if path.startswith(("/", "../")):
        raise ValueError("an output lies outside the repository")
    return Output(path, md5, legacy="hash" not in entry)
