"""TOML text to a table, with the line where it is not TOML."""

from __future__ import annotations

import re
import sys

from d2b_gate.core.errors import PolicyError, UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MOST_LEVELS = 32  # of tables and lists; a policy has five, and everything that walks one recurses
_AT = r"\s*\(at (?:line (\d+), column \d+|end of document)\)"  # compiled by the first mistake


def parse(text: str, path: str) -> dict[str, object]:
    """Parse ``text``; ``path`` is what the problem names.

    Raises:
        PolicyError: the text is not TOML, or nests too deeply.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = re.search(_AT, str(error))
        line = int(match[1]) if match and match[1] else text.count("\n") + 1
        problem = UsageError(f"not valid TOML: {re.sub(_AT, '', str(error))}", where=f"{path}:{line}")
        raise PolicyError([problem]) from error
    except RecursionError:
        raise _too_deep(path) from None
    if not _is_shallow(table, MOST_LEVELS):
        raise _too_deep(path)
    return table


def _is_shallow(value: object, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels > 0 and all(_is_shallow(entry, levels - 1) for entry in inner)


def _too_deep(path: str) -> PolicyError:
    return PolicyError([UsageError(f"the file nests more than {MOST_LEVELS} levels deep", where=path)])
