"""Digests of a policy: of all of it, and of the part that predictions depend on."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from d2b_gate.core.rules import Policy

_POSITIONS = frozenset({"path", "digest", "origin"})
"""Where something was written, not what it says: moving a rule changes no digest."""


def policy_digest(policy: Policy) -> str:
    """Return the sha256 of the effective policy."""
    return _digest(asdict(policy))


def judged_digest(policy: Policy) -> str:
    """Return the sha256 of what predictions depend on: model, method, datasets, and which probe judges which of them.

    No limit is part of it, so that a changed limit judges stored readings again. The content of the probes is not
    part of it either: a fingerprint adds `Probe.digest`.
    """
    asked = sorted({(rule.probe, rule.datasets) for rule in policy.rules})
    datasets = [asdict(dataset) for dataset in policy.datasets]
    return _digest([asdict(policy.model), asdict(policy.method), datasets, asked])


def _digest(content: object) -> str:
    text = json.dumps(_canonical(content), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _canonical(value: object) -> object:
    if isinstance(value, dict):
        return {key: _canonical(inner) for key, inner in value.items() if key not in _POSITIONS}
    if isinstance(value, list | tuple):
        return [_canonical(inner) for inner in value]
    if isinstance(value, float) and math.isinf(value):
        return "unlimited"
    return value
