"""How long GitHub's documented rate limits ask a client to wait.

Source: "Rate limits for the REST API", section "Exceeding the rate limit".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LIMITED = frozenset({403, 429})
SECONDARY = 60.0  # seconds, at least, where nothing says how long; doubled by each further refusal


def pause_asked(status: int, headers: Mapping[str, str], told: str, now: float, refusals: int) -> float:
    """Seconds to wait before the same request; 0 where it was not a rate limit that refused it.

    ``now`` is in seconds since the epoch; ``refusals`` counts those before this one.
    """
    if status not in LIMITED:
        return 0.0
    if (after := _seconds(headers.get("retry-after", ""))) > 0:
        return after
    if headers.get("x-ratelimit-remaining") == "0":
        return max(1.0, _seconds(headers.get("x-ratelimit-reset", "")) - now + 1.0)  # the clocks may differ by a little
    if status == 429 or "rate limit" in told.lower():
        return SECONDARY * 2.0**refusals
    return 0.0


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdecimal() else 0.0
