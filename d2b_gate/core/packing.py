"""Features of rows as bytes at rest: half precision with one power of two per row and site.

Half floats alone end at 65 504 and lose precision below 6e-5, while states reach 25 000 and gradients 1e-7. With the
largest magnitude of a site moved next to the top of their range, every value down to 2^-28 of it keeps 11 bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

PACKING_VERSION = 1
"""Raised whenever the same features give other bytes; it is part of the name under which they are stored."""
RELATIVE_ERROR = 2.0**-11
"""Of a value that is at least `FLOOR` of its site's largest."""
FLOOR = 2.0**-28
ABSOLUTE_ERROR = 2.0**-38
"""Of a smaller value, in units of its site's largest."""
_TOP = 15
"""Exponent of what the largest magnitude of a site is scaled to: below 2^15, half of what half floats end at."""
_LEAST, _MOST = -99, 127
"""Exponents of largest magnitudes between which scaling is exact in float32; rows outside are kept as float32."""
_WHOLE = b"f4"
"""Behind a row that is kept as float32, whose size then is that of no other row."""
_ROUNDS_UP = 1 - 2.0**-12
"""Mantissas from here on round to the next power of two in 11 bits; counting them there makes packing idempotent."""


def packed(values_nld: NDArray[np.float32]) -> tuple[bytes, ...]:
    """One text of bytes a row. Packing what `unpacked` gave gives the same bytes, so errors never add up.

    A row that holds an infinity, NaN or a largest magnitude outside 2^-100 to 2^127 is kept as float32, bit for bit.
    Shapes: (rows, sites, width). Units: any; the error is relative, see `RELATIVE_ERROR`. Source: our choice.
    """
    import numpy as np

    largest_nl = np.abs(values_nld).max(axis=2, initial=0.0)
    mantissa_nl, exponent_nl = np.frexp(largest_nl)
    exponent_nl = exponent_nl + (mantissa_nl >= _ROUNDS_UP)
    scales_nl = np.isfinite(largest_nl) & (exponent_nl >= _LEAST) & (exponent_nl <= _MOST) | (largest_nl == 0.0)
    halved_n = scales_nl.all(axis=1)
    exponent_nl = np.where(scales_nl, exponent_nl, 0)
    words_nlw = np.empty((*values_nld.shape[:2], values_nld.shape[2] + 1), dtype="<i2")
    with np.errstate(over="ignore", invalid="ignore"):  # in rows that are not halved
        scaled_nld = values_nld * np.ldexp(np.float32(1), _TOP - exponent_nl)[..., None]
        words_nlw[..., :-1] = scaled_nld.astype("<f2").view("<i2")
    words_nlw[..., -1] = exponent_nl
    return tuple(
        words_lw.tobytes() if halved else values_ld.astype("<f4").tobytes() + _WHOLE
        for words_lw, values_ld, halved in zip(words_nlw, values_nld, halved_n.tolist(), strict=True)
    )


def unpacked(texts: Sequence[bytes], sites: int, width: int) -> NDArray[np.float32]:
    """The rows that `packed` made these bytes of, rounded as it did.

    Shapes: (rows, sites, width), float32. Raises ValueError for bytes of another size (`is_packed` tells).
    """
    import numpy as np

    halved = [index for index, text in enumerate(texts) if len(text) == _halved_bytes(sites, width)]
    words_nlw = np.frombuffer(b"".join(texts[i] for i in halved), dtype="<i2").reshape(-1, sites, width + 1)
    values_nld = words_nlw[..., :-1].view("<f2").astype(np.float32)
    values_nld *= np.ldexp(np.float32(1), words_nlw[..., -1].astype(np.int32) - _TOP)[..., None]
    if len(halved) == len(texts):
        return values_nld
    every_nld = np.empty((len(texts), sites, width), dtype=np.float32)
    every_nld[halved] = values_nld
    for index in sorted(set(range(len(texts))) - set(halved)):
        every_nld[index] = np.frombuffer(texts[index].removesuffix(_WHOLE), dtype="<f4").reshape(sites, width)
    return every_nld


def is_packed(text: bytes, sites: int, width: int) -> bool:
    """Whether these are bytes of a row of these sizes."""
    return len(text) in (_halved_bytes(sites, width), sites * width * 4 + len(_WHOLE))


def _halved_bytes(sites: int, width: int) -> int:
    return sites * (width + 1) * 2
