"""The one way from texts to HTML: every text that a template is given is made visible, then escaped."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from d2b_gate.reports.escape import terminal

if TYPE_CHECKING:
    from d2b_gate.reports.html.page import Page

_LONGEST = 2000  # characters shown of any text; what may be cut earlier is cut where it is known what it is
_PLACE = "d2b_gate.reports.html"


def filled(page: Page) -> str:
    """The page as HTML, ending in one newline."""
    environment = Environment(
        loader=PackageLoader(_PLACE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    text = environment.get_template("page.html.jinja").render(page=page, style=Markup(style), digest=digest)
    return text.rstrip("\n") + "\n"


def _seen(value: object) -> object:
    """What may act, hide or reorder as a visible escape. Markup is what this package itself has made."""
    return terminal(value, _LONGEST) if isinstance(value, str) and not isinstance(value, Markup) else value


def _style() -> str:
    """The style sheet as a browser hashes it: with line feeds alone, whatever the checkout made of them."""
    return files(_PLACE).joinpath("templates/style.css").read_text("utf-8").replace("\r\n", "\n")
