"""Matplotlib's SVG made fit for a page: known elements and attributes only, no inline style, ids that never clash."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from d2b_gate.reports.html.palette import ROLE_OF

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from xml.etree.ElementTree import Element

_NAMESPACE = re.compile(r"\{[^}]*\}")
_NUMBER = re.compile(r"-?\d+\.\d+")
_TAGS = frozenset({"svg", "g", "defs", "path", "use", "text"})
_ATTRIBUTES = frozenset({"d", "x", "y", "viewBox"})
_PRESENTATION = frozenset({"stroke-width", "stroke-dasharray", "text-anchor", "font-size", "font-weight"})
_PAINTS = ("fill", "stroke")


@dataclass(frozen=True, slots=True)
class Name:
    """What a picture is called: a prefix of its ids, and a sentence for who cannot see it."""

    prefix: str
    title: str


def cleaned(text: str, name: Name) -> str:
    """One ``<svg>`` element for an HTML page. Colours are classes: ``f-fail`` fills, ``s-fail`` strokes."""
    found = ElementTree.fromstring(text)
    wanted = {value[1:] for element in found.iter() for key, value in element.items() if _bare(key) == "href"}
    root = _copied(found, wanted, name.prefix)
    root.attrib.update({"class": "plot", "role": "img", "aria-labelledby": f"{name.prefix}-title"})
    title = ElementTree.Element("title", {"id": f"{name.prefix}-title"})
    title.text = name.title
    root.insert(0, title)
    return ElementTree.tostring(root, encoding="unicode")


def _copied(element: Element, wanted: set[str], prefix: str) -> Element:
    copy = ElementTree.Element(_bare(element.tag), dict(_attributes(element, wanted, prefix)))
    if copy.tag == "text":
        copy.text = element.text
    copy.extend(kept for child in element if _bare(child.tag) in _TAGS for kept in _flat(child, wanted, prefix))
    return copy


def _flat(element: Element, wanted: set[str], prefix: str) -> Iterator[Element]:
    """The copy of an element; in place of a group, which only says which artist drew it, what it holds."""
    copy = _copied(element, wanted, prefix)
    if copy.tag == "g":
        yield from copy
    elif copy.tag != "defs" or len(copy):
        yield copy


def _attributes(element: Element, wanted: set[str], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in element.items():
        if _bare(key) in _ATTRIBUTES:
            yield _bare(key), _rounded(value)
    if (own := element.get("id", "")) in wanted:
        yield "id", f"{prefix}-{own}"
    yield from (("href", f"#{prefix}-{value[1:]}") for key, value in element.items() if _bare(key) == "href")
    yield from _painted(_declarations(element.get("style", "")))


def _declarations(style: str) -> Mapping[str, str]:
    pairs = (part.partition(":") for part in style.split(";") if part.strip())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _painted(style: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Presentation attributes for measures, classes for colours; a policy that forbids inline styles allows both."""
    for key in sorted(_PRESENTATION & style.keys()):
        yield key, style[key].removesuffix("px")
    classes = [f"{paint[0]}-{ROLE_OF[style[paint]]}" for paint in _PAINTS if style.get(paint) in ROLE_OF]
    if classes:
        yield "class", " ".join(classes)
    yield from ((paint, "none") for paint in _PAINTS if style.get(paint) == "none")


def _rounded(value: str) -> str:
    return _NUMBER.sub(lambda number: f"{float(number[0]):.1f}", " ".join(value.split()))


def _bare(name: str) -> str:
    return _NAMESPACE.sub("", name)
