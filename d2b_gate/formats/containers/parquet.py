"""Parquet, in small batches; a record's line is its number in the file."""

from __future__ import annotations

from io import BytesIO
from itertools import chain
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

from d2b_gate.formats import limits
from d2b_gate.formats.errors import malformed, missing_library
from d2b_gate.formats.interface import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyarrow import RecordBatch
    from pyarrow.parquet import ParquetFile

SUFFIXES: tuple[str, ...] = (".parquet",)

_BATCH_ROWS = 64  # our choice: a dictionary page may repeat one huge value, so few rows are unfolded before the check


def records(content: bytes, path: str) -> Iterator[Record]:
    """Check the sizes that the footer declares, then decode batch by batch; an empty file holds no row."""
    if content:
        yield from _records(BytesIO(content), len(content), path)


def streamed(pieces: Iterator[bytes], path: str, wanted: Callable[[int], bool]) -> Iterator[Record]:
    """As `records`, from a temporary file: the footer, which comes last, is read first."""
    del wanted
    begin = next(pieces, b"")
    more = next(pieces, None)
    if more is None:
        yield from records(begin, path)
        return
    try:
        with TemporaryFile(prefix="d2b-gate-") as file:
            size = sum(map(file.write, chain((begin, more), pieces)))
            file.seek(0)
            yield from _records(file, size, path)
    except OSError as error:  # of the temporary file: what is wrong with its content is told as that
        what = f"there is no room for a copy of it on disk ({error.strerror})"
        raise malformed(path, 0, what, "free some space, or name another TMPDIR") from error


def _records(file: IO[bytes], size: int, path: str) -> Iterator[Record]:
    try:
        import pyarrow
    except ImportError as error:
        raise missing_library(path, "pyarrow", "Parquet") from error
    try:
        number = 1
        for batch in _batches(file, size, path):
            for value in batch.to_pylist():
                yield Record(value, number)
                number += 1
    except (pyarrow.ArrowException, OSError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise malformed(path, 0, f"is not valid Parquet ({first[:100]})", "write the file again") from error


def _batches(source: IO[bytes], size: int, path: str) -> Iterator[RecordBatch]:
    from pyarrow import parquet

    file = parquet.ParquetFile(source)
    _check_footer(file, size, path)
    unfolded = rows = 0
    for batch in file.iter_batches(batch_size=_BATCH_ROWS, use_threads=False):
        unfolded += batch.nbytes
        rows += batch.num_rows
        if batch.nbytes > limits.MAX_ROW_BYTES * batch.num_rows or unfolded > limits.MAX_CONTENT_BYTES:
            raise malformed(path, rows, "the rows up to here unfold to more than the bounds allow", "split the file")
        yield batch


def _check_footer(file: ParquetFile, compressed: int, path: str) -> None:
    footer = file.metadata
    size = sum(footer.row_group(group).total_byte_size for group in range(footer.num_row_groups))
    if size > limits.MAX_CONTENT_BYTES or footer.num_rows > limits.MAX_PARQUET_ROWS:
        what = f"declares {size >> 20} MiB in {footer.num_rows} rows, more than the bounds allow"
        raise malformed(path, 0, what, "split the file")
    if size > max(limits.RATIO_FREE_BYTES, limits.MAX_RATIO * compressed):
        what = f"unfolds to more than {limits.MAX_RATIO} times its size, as a decompression bomb does"
        raise malformed(path, 0, what, "store the file uncompressed if it is honest")
