"""Whether another value of a policy's key lets pass what was stopped, or stops what passed."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Judge = Callable[[object, object], "Effect"]


class Effect(str, Enum):
    """What a change of a policy does, worst first."""

    LOOSENS = "loosens"  # something that was stopped may pass
    UNCLEAR = "unclear"  # it may go either way: for people to look at
    TIGHTENS = "tightens"  # something that passed may be stopped, and nothing that was stopped passes
    NEITHER = "neither"  # no verdict depends on it


def effect_of(path: tuple[str, ...], before: object, after: object) -> Effect:
    """The effect of one value becoming another at a path, such as ``("rule", "fail_delta")``; unclear if unknown."""
    return _JUDGES.get(path, _unclear)(before, after)


def _unclear(before: object, after: object) -> Effect:
    del before, after
    return Effect.UNCLEAR


def _neither(before: object, after: object) -> Effect:
    del before, after
    return Effect.NEITHER


def _loosens(before: object, after: object) -> Effect:
    """What was asked before is no longer asked."""
    del before, after
    return Effect.LOOSENS


def _upper_limit(before: object, after: object) -> Effect:
    if isinstance(before, int | float) and isinstance(after, int | float):
        return Effect.LOOSENS if after > before else Effect.TIGHTENS
    return Effect.UNCLEAR


def _safeguard(before: object, after: object) -> Effect:
    """True, or any text, is the stricter value."""
    if bool(before) == bool(after):
        return Effect.UNCLEAR
    return Effect.LOOSENS if before else Effect.TIGHTENS


def _direction(before: object, after: object) -> Effect:
    del before
    return Effect.TIGHTENS if after == "either" else Effect.LOOSENS


def _scope(before: object, after: object) -> Effect:
    """Datasets that a rule judges; none named are all."""
    old, new = _texts(before), _texts(after)
    if not new or (old and old < new):
        return Effect.TIGHTENS
    return Effect.LOOSENS


def _covering(before: object, after: object) -> Effect:
    """Globs that take files in."""
    old, new = _texts(before), _texts(after)
    if old == new:
        return Effect.NEITHER
    return Effect.TIGHTENS if old < new else Effect.LOOSENS if new < old else Effect.UNCLEAR


def _sparing(before: object, after: object) -> Effect:
    """Globs that leave files out."""
    return _covering(after, before)


def _texts(value: object) -> set[object]:
    return set(value) if isinstance(value, tuple | list) else set()


def _ordered(*strictest_last: str) -> Judge:
    def judge(before: object, after: object) -> Effect:
        if before not in strictest_last or after not in strictest_last:
            return Effect.UNCLEAR
        return _upper_limit(strictest_last.index(str(after)), strictest_last.index(str(before)))

    return judge


def _backend(before: object, after: object) -> Effect:
    """The toy runs no model, so nothing that it says means anything."""
    if after == "fake":
        return Effect.LOOSENS
    return Effect.TIGHTENS if before == "fake" else Effect.NEITHER


_JUDGES: Mapping[tuple[str, ...], Judge] = {
    ("rule", "fail_delta"): _upper_limit,
    ("rule", "warn_delta"): _upper_limit,
    ("rule", "max_level"): _upper_limit,
    ("rule", "probe"): _loosens,
    ("rule", "target"): _loosens,
    ("rule", "direction"): _direction,
    ("rule", "datasets"): _scope,
    ("rule", "locked"): _safeguard,
    ("rule", "owner"): _neither,
    ("rule", "why"): _neither,
    ("dataset", "include"): _covering,
    ("dataset", "exclude"): _sparing,
    ("dataset", "row_schema"): _safeguard,
    ("model", "device"): _neither,
    ("backend", "kind"): _backend,
    ("on_inconclusive", "hook"): _ordered("pass", "warn", "fail"),
    ("on_inconclusive", "ci"): _ordered("pass", "warn", "fail"),
    ("on_unavailable", "hook"): _ordered("defer", "fail"),
    ("dilution_guard",): _ordered("off", "warn", "fail"),
    ("show_samples",): _neither,
    ("require_calibration",): _safeguard,
}
