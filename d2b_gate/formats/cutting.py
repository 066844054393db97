"""Rows taken out of the bytes of a file, every other byte as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.formats.decompression import is_compressed
from d2b_gate.formats.errors import malformed
from d2b_gate.formats.interface import Cuttable
from d2b_gate.formats.reading import container_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from d2b_gate.core.rules import DatasetSpec
    from d2b_gate.formats.interface import Container


def uncuttable(path: str, spec: DatasetSpec, containers: Mapping[str, Container]) -> str:
    """Return why no patch can take rows out of a file, as ``is compressed``; empty where one can."""
    if is_compressed(path):
        return "is compressed"
    return "" if isinstance(container_of(path, spec, containers), Cuttable) else "is not a text file of rows"


def without_rows(
    content: bytes, path: str, spec: DatasetSpec, gone: Collection[int], containers: Mapping[str, Container]
) -> bytes:
    """Return the content less the rows of these numbers, counted from 0 in file order.

    Raises:
        EvaluationError: the file cannot be cut, see `uncuttable`.
    """
    container: object = None if is_compressed(path) else container_of(path, spec, containers)
    if not isinstance(container, Cuttable):
        raise malformed(path, 0, "no rows can be taken out of this file", "take them out by hand")
    return container.without(content, path, gone)
