"""Bounds on what is read, enforced before parsing: a training file is hostile until it has been read."""

from __future__ import annotations

from typing import Final

MAX_CONTENT_BYTES: Final = 1 << 30
"""Decompressed size of one file. Our choice: git itself is unhappy with larger blobs, and a JSON array is held in
memory; other formats are read in pieces."""

MAX_RATIO: Final = 200
"""Decompressed to compressed size. Our choice: text compresses 3 to 10 times, logs 50; bombs 1000 and more."""

RATIO_FREE_BYTES: Final = 64 << 20
"""Outputs under this size are exempt from `MAX_RATIO`. Our choice: harmless to hold; small test files repeat much."""

MAX_ROW_BYTES: Final = 16 << 20
"""Size of one encoded row. Our choice: four million tokens, 30 times the longest context any base model offers."""

MAX_DEPTH: Final = 64
"""Nesting of JSON. Our choice: rows with tool schemas stay under 20; CPython's parser recurses and fails near 1000."""

MAX_PARQUET_ROWS: Final = 50_000_000
"""Rows a Parquet footer may declare. Our choice: at 20 bytes a row this reaches `MAX_CONTENT_BYTES`."""
