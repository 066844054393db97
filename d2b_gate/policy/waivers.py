"""The file of waivers to core `Waiver`s; every problem at once, with file and line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from d2b_gate.core.errors import PolicyError, UsageError
from d2b_gate.core.suggest import did_you_mean
from d2b_gate.core.toml import parse
from d2b_gate.core.waivers import Waiver
from d2b_gate.policy.layers import MOST_CHARACTERS, Layer, is_inside
from d2b_gate.policy.sentences import shape_problems
from d2b_gate.policy.waiver_models import WaiversTable, WaiverTable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from d2b_gate.core.errors import GateError
    from d2b_gate.policy.checks import Faults

FILE = "d2b-gate.waivers.toml"
"""Where waivers live: in the root of the repository, in a file of their own with owners of its own."""
_HASH = re.compile(r"[0-9a-f]{64}\Z")


def read_waivers(text: str, rules: Collection[str]) -> tuple[Waiver, ...]:
    """Read the waivers in ``text``.

    ``rules`` are the ids of the policy's rules; where the policy could not be read they are empty, and not asked for.

    Raises:
        PolicyError: every problem of the file, in the order of its lines.
    """
    if len(text) > MOST_CHARACTERS:
        raise PolicyError([UsageError(f"the file has more than {MOST_CHARACTERS} characters", where=FILE)])
    layer = Layer(FILE, text, parse(text, FILE))
    problems = [*shape_problems(layer.table, layer.where, WaiversTable), *_problems(layer, rules)]
    if problems:
        raise PolicyError(sorted(problems, key=_line))
    table = WaiversTable.model_validate(layer.table)
    return tuple(_built(entry, layer.where(("waiver", index))) for index, entry in enumerate(table.waiver))


def _problems(layer: Layer, rules: Collection[str]) -> Iterator[GateError]:
    """What is wrong beyond the shape, also in entries that have problems of their shape."""
    entries = layer.table.get("waiver", [])
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(entry, dict):
            for key, what, remedy in (*_rule_faults(entry, rules), *_faults(entry)):
                yield UsageError(what, where=layer.where(("waiver", index, *key)), remedy=remedy)


def _rule_faults(entry: Mapping[str, object], rules: Collection[str]) -> Faults:
    rule = entry.get("rule")
    if rules and isinstance(rule, str) and rule and rule not in rules:
        yield ("rule",), f"a waiver for the unknown rule {rule!r}", did_you_mean(rule, rules)


def _faults(entry: Mapping[str, object]) -> Faults:
    if not entry.get("paths") and not entry.get("data"):
        yield (), "a waiver needs 'paths' or 'data'", "say which files or which rows it is for"
    if _name(entry.get("owner")) == _name(entry.get("approver")) != "":
        yield ("approver",), "'approver' must be somebody else than 'owner'", "nobody approves a waiver of their own"
    for key in ("owner", "approver", "reason"):
        text = entry.get(key)
        if isinstance(text, str) and text and not text.strip():
            yield (key,), f"{key!r} must not be blank", ""
    data = entry.get("data")
    if isinstance(data, str) and data and not _HASH.match(data):
        yield ("data",), "'data' must be 64 lower-case hex digits", "copy 'rows_hash' of the finding in a JSON result"
    yield from _glob_faults(entry.get("paths"))


def _glob_faults(paths: object) -> Faults:
    for index, glob in enumerate(paths if isinstance(paths, list) else []):
        if isinstance(glob, str) and glob and not is_inside(glob):
            remedy = "write it relative to the repository's root, with forward slashes"
            yield ("paths", index), f"the glob {glob!r} leaves the repository", remedy


def _name(person: object) -> str:
    """One name of a person, however it is written: ``@Alice`` is ``alice``."""
    return person.strip().lstrip("@").casefold() if isinstance(person, str) else ""


def _built(table: WaiverTable, origin: str) -> Waiver:
    return Waiver(
        rule=table.rule,
        max_delta=table.max_delta,
        owner=table.owner,
        approver=table.approver,
        reason=table.reason,
        expires=table.expires.isoformat(),
        paths=tuple(table.paths),
        rows_hash=table.data,
        origin=origin,
    )


def _line(problem: GateError) -> int:
    line = problem.where.rpartition(":")[2]
    return int(line) if line.isdecimal() else 0
