"""Results as files: written whole or not at all, and arrays piece by piece, so that none is held in memory."""

from __future__ import annotations

import base64
import json
import os
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


@contextmanager
def result_file(path: Path) -> Iterator[IO[str]]:
    """A file to write a result into; it is there afterwards, unless something was raised."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with unfinished.open("w", encoding="ascii") as file:
            yield file
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_table(file: IO[str], table: dict[str, object]) -> None:
    """Write a small result. Raises ValueError for a number that is not finite."""
    json.dump(table, file, separators=(",", ":"), allow_nan=False)


def write_values(file: IO[str], shape: Sequence[int], parts: Iterable[NDArray[np.float32]]) -> None:
    """Write ``{"values": ARRAY}`` of consecutive parts, as `core.remote.said_array` would say the whole."""
    file.write(f'{{"values":{{"shape":{json.dumps(list(shape))},"float32":"')
    rest = b""
    for part in parts:
        content = rest + part.astype("<f4").tobytes()
        whole = len(content) // 3 * 3  # base64 says three bytes at a time; what is left goes with the next part
        file.write(base64.b64encode(content[:whole]).decode("ascii"))
        rest = content[whole:]
    file.write(base64.b64encode(rest).decode("ascii") + '"}}')
