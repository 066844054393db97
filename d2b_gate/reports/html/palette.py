"""The colours of plots, by role: matplotlib is given stand-ins, and the page's style sheet says what they look like."""

from __future__ import annotations

from d2b_gate.core.verdict import Status

ROLES = ("ink", "muted", "grid", "limit", "paper", *(status.value for status in Status))
STAND_INS = {role: f"#0101{number:02x}" for number, role in enumerate(ROLES, start=1)}
"""A colour that nothing else uses for each role; `svg.cleaned` turns it into a class, so that one picture serves a
light page and a dark one."""
ROLE_OF = {color: role for role, color in STAND_INS.items()}

MARKERS = {
    "before": "o",
    "after": "D",
    "fail": "s",
    "error": "X",
    "inconclusive": "v",
    "warn": "^",
    "waived": "D",
    "ok": "o",
}
"""A shape for each kind of point: colour never tells alone."""
