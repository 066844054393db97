"""Named numpy arrays as safetensors files under ``arrays/``; written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

from d2b_gate.store.sizes import ARRAYS, DAY, Stored

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_NOTE = "crc32"
_STALE = 3_600.0  # seconds after which a temporary file belongs to a process that died; writing one takes milliseconds


class ArrayFiles:
    """The files below ``root``. Every method may raise OSError, except that a damaged file reads as absent."""

    def __init__(self, root: Path) -> None:
        self._root = root / "arrays"
        self._temporary = root / "tmp"

    def get(self, kind: str, key: str) -> dict[str, object] | None:
        """Return the arrays, or None; a file that is not what was written is removed and counts as absent."""
        path = self._path(kind, key)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            arrays = load(content)
            intact = _noted(content) == _checksum(arrays)
        except (SafetensorError, ValueError, KeyError):  # KeyError: a dtype that numpy lacks
            intact = False
        if not intact:
            path.unlink(missing_ok=True)
            return None
        _touch(path)
        return dict(arrays)

    def put(self, kind: str, key: str, arrays: dict[str, object]) -> None:
        """Write the arrays beside their place, then move them there in one step."""
        import numpy as np
        from safetensors.numpy import save

        # safetensors copies raw memory, so a transposed or strided view must be laid out first
        laid_out = {name: np.asarray(array, order="C") for name, array in arrays.items()}
        content = save(laid_out, metadata={_NOTE: _checksum(laid_out)})
        path = self._path(kind, key)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._temporary.mkdir(exist_ok=True, mode=0o700)
        unfinished = self._temporary / f"{os.getpid()}-{secrets.token_hex(8)}"
        try:
            unfinished.write_bytes(content)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)

    def held(self) -> Iterator[Stored]:
        """Yield every file, with its last day of use."""
        for path in self._root.glob("*/*.safetensors"):
            with suppress(FileNotFoundError):  # another process may be collecting
                status = path.stat()
                yield Stored(status.st_mtime, status.st_size, ARRAYS, ("", path.name))

    def remove(self, name: str) -> None:
        """Remove one file by its name."""
        (self._root / name[:2] / name).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what crashed processes left unfinished."""
        for path in self._temporary.glob("*"):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > _STALE:
                    path.unlink()

    def _path(self, kind: str, key: str) -> Path:
        """Name the file by a digest: a key is any text, and no text may lead out of the directory."""
        name = hashlib.sha256(f"{kind}\0{key}".encode("utf-8", "surrogatepass")).hexdigest()
        return self._root / name[:2] / f"{name}.safetensors"


def _checksum(arrays: Mapping[str, NDArray[np.generic]]) -> str:
    """Of names, kinds, shapes and content: nothing else notices when a disk changes what a file holds."""
    found = 0
    for name in sorted(arrays):
        array = arrays[name]
        found = zlib.crc32(repr((name, array.dtype.str, array.shape)).encode("utf-8", "surrogatepass"), found)
        found = zlib.crc32(array.tobytes(), found)
    return f"{found:08x}"


def _noted(content: bytes) -> str:
    """The checksum in the file's header, behind eight bytes that tell the header's length."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return str(header["__metadata__"][_NOTE])


def _touch(path: Path) -> None:
    """Record today's use in the modification time; a store that cannot be written still reads."""
    with suppress(OSError):
        if time.time() - path.stat().st_mtime > DAY:
            os.utime(path)
