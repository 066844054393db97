"""The result as one self-contained page: opens offline, runs no script, loads nothing, in light and dark, and prints.

Needs the extra ``html``; the registry says which libraries that means, and `cli.output` asks before any work is done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from d2b_gate.core.verdict import Verdict
    from d2b_gate.reports.interface import RenderOptions

SHOWS_HISTORY = True
"""Earlier results are looked up for this report alone; see `cli.output`."""


def render(verdict: Verdict, options: RenderOptions) -> str:
    """The page, worst finding first; characters past ASCII become references where the options ask for ASCII."""
    from d2b_gate.reports.html.page import page_of
    from d2b_gate.reports.html.template import filled

    text = filled(page_of(verdict, options))
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii") if options.ascii else text
