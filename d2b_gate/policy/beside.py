"""Files that stand beside a policy and bear on its verdicts: what of them differs between two states."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from d2b_gate.core.errors import PolicyError
from d2b_gate.core.policy_change import PolicyChange
from d2b_gate.core.policy_effect import Effect
from d2b_gate.core.toml import parse
from d2b_gate.policy.locate import locate
from d2b_gate.policy.waivers import FILE as WAIVERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Read = Callable[[str], str | None]

_SHORT = 12  # characters shown of a digest
_LONGEST = 200  # characters shown of a waiver


def waiver_changes(before: Read, after: Read) -> Iterator[PolicyChange]:
    """Compare waivers entry by entry, as they are written: a new one may let pass what was stopped."""
    old, new = before(WAIVERS), after(WAIVERS)
    if old == new:
        return
    try:
        then, now = _entries(old or ""), _entries(new or "")
    except PolicyError:
        yield PolicyChange("waivers", WAIVERS, digest(old), digest(new), Effect.UNCLEAR, f"{WAIVERS}:1")
        return
    for (rule, entry), line in now.items():
        if (rule, entry) not in then:
            yield PolicyChange("waiver", rule, "", entry, Effect.LOOSENS, f"{WAIVERS}:{line}")
    for (rule, entry), line in then.items():
        if (rule, entry) not in now:
            yield PolicyChange("waiver", rule, entry, "", Effect.TIGHTENS, f"{WAIVERS}:{line}")


def file_change(path: str, kind: str, before: Read, after: Read) -> Iterator[PolicyChange]:
    """Compare one file whose content decides something that no value of the policy tells."""
    old, new = before(path), after(path)
    if old != new:
        yield PolicyChange(kind, path, digest(old), digest(new), Effect.UNCLEAR, path)


def digest(text: str | None) -> str:
    """``sha256 0123456789ab``; empty where there is no file."""
    if text is None:
        return ""
    return f"sha256 {hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:_SHORT]}"


def _entries(text: str) -> Mapping[tuple[str, str], int]:
    """The line of every entry of an array of tables, by the rule that it names and the rest as short text."""
    lines = locate(text) if text else {}
    return {
        (str(entry.get("rule", key)), _brief(entry)): lines[key, index]
        for key, entries in parse(text, WAIVERS).items()
        if isinstance(entries, list)
        for index, entry in enumerate(entries)
        if isinstance(entry, dict)
    }


def _brief(entry: Mapping[str, object]) -> str:
    told = ", ".join(
        f"{key} {json.dumps(value, ensure_ascii=False, default=str)}" for key, value in entry.items() if key != "rule"
    )
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}... ({digest(told)})"
