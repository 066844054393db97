"""Hostile text in XML: what XML 1.0 cannot hold is shown as an escape, the rest is the serializer's work."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from d2b_gate.reports.escape import terminal

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'


def visible(text: str, limit: int) -> str:
    r"""One line of characters that XML 1.0 allows: controls, surrogates and the like are escapes such as ``\x1b``."""
    return terminal(text, limit)


def document(root: Element) -> str:
    """An element whose texts went through `visible` as a whole document."""
    ElementTree.indent(root)
    return f"{_HEAD}{ElementTree.tostring(root, encoding='unicode')}\n"


def with_references(document: str) -> str:
    """The document in ASCII: a character reference stands for the same character."""
    return document.encode("ascii", "xmlcharrefreplace").decode("ascii")
