"""What a page of the html report may consist of, told by Python's own parser."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_CLASS = r"[a-z]+(-[a-z]+)*( [a-z]+(-[a-z]+)*)*"
_ID = r"[a-z]+\d*(-[a-z]+|-\d+)*"
_MARKER = r"(f|s)\d+-[a-z]+-m[0-9a-f]+|overview-m[0-9a-f]+"
_NUMBER = r"-?\d+(\.\d+)?"
_PAINTED = {"class": _CLASS, "fill": "none", "stroke": "none", "stroke-width": _NUMBER, "stroke-dasharray": r"[\d.,]+"}
_HEAD = {
    (("charset", "utf-8"),),
    (("name", "referrer"), ("content", "no-referrer")),
    (("name", "viewport"), ("content", "width=device-width, initial-scale=1")),
    (("name", "color-scheme"), ("content", "light dark")),
}
POLICY = re.compile(r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; base-uri 'none'; form-action 'none'")
ELEMENTS: dict[str, dict[str, str]] = {
    **{tag: {} for tag in ("head", "title", "style", "main", "footer", "thead", "tbody", "caption")},
    **{tag: {} for tag in ("body", "summary", "figure", "defs", "figcaption", "code", "del", "ins")},
    **{tag: {"class": _CLASS} for tag in ("header", "div", "ul", "li", "p", "h1", "h4", "dl", "dt", "dd")},
    "html": {"lang": "en"},
    "section": {"class": _CLASS, "id": _ID, "aria-labelledby": _ID},
    "h2": {"id": _ID},
    "h3": {"id": _ID, "class": _CLASS},
    "a": {"href": r"#(f|s)\d+"},
    "span": {"class": _CLASS, "aria-hidden": "true"},
    "table": {"class": _CLASS},
    "tr": {"class": _CLASS},
    "th": {"class": _CLASS, "scope": "row|col"},
    "td": {"class": _CLASS, "colspan": "[345]"},
    "details": {"class": _CLASS, "id": _ID, "open": ""},
    "svg": {"class": "plot", "role": "img", "viewbox": r"0 0 420 \d+", "aria-labelledby": _ID},
    "path": {"d": r"[-MLCQz\d. ]+", "id": _MARKER, **_PAINTED},
    "use": {"x": _NUMBER, "y": _NUMBER, "href": f"#({_MARKER})", **_PAINTED},
    "text": {"x": _NUMBER, "y": _NUMBER, "font-size": _NUMBER, "text-anchor": "start|middle|end", **_PAINTED},
}


class Page(HTMLParser):
    """Everything of a page that is not text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[tuple[str, str], ...]]] = []
        self.texts: list[str] = []
        self.odd: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, tuple((name, value or "") for name, value in attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    def handle_comment(self, data):
        self.odd.append(data)

    def handle_pi(self, data):
        self.odd.append(data)

    def unknown_decl(self, data):
        self.odd.append(data)

    def handle_decl(self, decl):
        if decl != "DOCTYPE html":
            self.odd.append(decl)

    @property
    def shape(self) -> list[tuple[str, tuple[str, ...]]]:
        """Tags in order, each with the names of its attributes."""
        return [(tag, tuple(sorted(name for name, _ in attributes))) for tag, attributes in self.tags]

    def values(self, *names: str) -> list[str]:
        return [value for _, attributes in self.tags for name, value in attributes if name in names]


def require_own_elements(page: Page) -> None:
    """No element, attribute or value that the templates and the drawing did not make."""
    assert not page.odd
    for tag, attributes in page.tags:
        if tag == "meta":
            _require_known_meta(attributes)
            continue
        if tag == "title" and attributes:
            assert re.fullmatch(_ID, dict(attributes)["id"])  # of a picture
            continue
        for name, value in attributes:
            assert re.fullmatch(ELEMENTS[tag][name], value), (tag, name, value)


def _require_known_meta(attributes: tuple[tuple[str, str], ...]) -> None:
    if attributes[0] == ("http-equiv", "Content-Security-Policy"):
        assert POLICY.fullmatch(attributes[1][1])
        assert len(attributes) == 2
    else:
        assert attributes in _HEAD
