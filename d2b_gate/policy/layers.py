"""A policy file and those that it extends: read one by one, parents first. No pydantic here: hooks start with it."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from d2b_gate.core.errors import PolicyError, UsageError
from d2b_gate.core.toml import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from d2b_gate.core.errors import GateError
    from d2b_gate.policy.locate import KeyPath

    Packs = Callable[[str], tuple[str, str]]

SCHEMA = 1
MOST_LEVELS = 3  # of extends; a policy that nobody can follow is a policy that nobody reviews
MOST_CHARACTERS = 1_000_000
TOOL = ("tool", "d2b-gate")
# Patterns stay text: `re` compiles those that a policy needs, and a hook with nothing to do needs one.
_PACK = r"d2b:[a-z0-9][a-z0-9-]*\Z"
_PINNED = r"git\+([0-9a-f]{40}|[0-9a-f]{64}):(.+)\Z"
_REF = r"^git[+@]|://|@[0-9a-zA-Z._-]+$"
_AT = r"@[0-9a-f]{12}\Z"


class Layer(NamedTuple):
    """One file of the policy. ``prefix`` is where the policy stands in it: nowhere, or under ``[tool.d2b-gate]``."""

    path: str
    text: str
    table: dict[str, object]
    prefix: KeyPath = ()

    def where(self, path: KeyPath) -> str:
        """``file:line`` of a key path, or of the nearest table around it."""
        from d2b_gate.policy.locate import locate  # only a problem, or a full read, pays for the walk

        lines = locate(self.text)
        full = (*self.prefix, *path)
        near = (full[:size] for size in range(len(full), 0, -1))
        return f"{self.path}:{next((lines[part] for part in near if part in lines), 1)}"


def read_layers(text: str, path: str, packs: Packs) -> tuple[Layer, ...]:
    """Read the file and its parents; parents come before their children, and a file never comes twice.

    Raises:
        PolicyError: every file that cannot be read, is no TOML, has another schema, or extends itself.
    """
    layers, problems = readable_layers(text, path, packs)
    if problems:
        raise PolicyError(problems)
    return layers


def readable_layers(text: str, path: str, packs: Packs) -> tuple[tuple[Layer, ...], list[GateError]]:
    """Return the files that can be read, and what is wrong with the others."""
    reader = _Reader(packs)
    reader.read(text, path, ())
    return tuple(reader.layers), reader.problems


class _Reader:
    """Walks the tree of ``extends``, depth first."""

    def __init__(self, packs: Packs) -> None:
        self._packs = packs
        self.layers: list[Layer] = []
        self.problems: list[GateError] = []

    def read(self, text: str, path: str, above: tuple[str, ...]) -> None:
        """Read one file after its parents; ``above`` are the display paths of its children, outermost first."""
        try:
            layer = _layer(text, path)
        except PolicyError as error:
            self.problems += error.problems
            return
        self.problems += _schema_problems(layer)
        for index, name in self._parents(layer):
            self._extend(name, (layer, ("extends", index)), (*above, path))
        if all(known.path != path for known in self.layers):
            self.layers.append(layer)

    def _extend(self, name: str, at: tuple[Layer, KeyPath], above: tuple[str, ...]) -> None:
        if re.search(_AT, at[0].path) and not re.match(_PACK, name) and not pinned(name):
            self._wrong(*at, f"a pinned policy cannot extend {name!r}, which is not pinned", _PIN)
            return
        try:
            text, path = self._packs(name)
        except UsageError as error:
            self._wrong(*at, error.what, error.remedy)
            return
        if path in above:
            self._wrong(*at, f"'extends' goes in a circle: {' -> '.join((*above, path))}")
        elif len(above) > MOST_LEVELS:
            self._wrong(*at, f"'extends' is more than {MOST_LEVELS} levels deep")
        else:
            self.read(text, path, above)

    def _parents(self, layer: Layer) -> Iterator[tuple[int, str]]:
        """Index and name of a file's parents; malformed ones become problems."""
        names = layer.table.get("extends", [])
        if not isinstance(names, list):
            self._wrong(layer, ("extends",), "'extends' must be a list of strings", 'write extends = ["d2b:default"]')
            return
        for index, name in enumerate(names):
            fault, remedy = _name_fault(name)
            if fault:
                self._wrong(layer, ("extends", index), fault, remedy)
            else:
                yield index, name

    def _wrong(self, layer: Layer, path: KeyPath, what: str, remedy: str = "") -> None:
        self.problems.append(UsageError(what, where=layer.where(path), remedy=remedy))


def _layer(text: str, path: str) -> Layer:
    if len(text) > MOST_CHARACTERS:
        raise PolicyError([UsageError(f"a policy has at most {MOST_CHARACTERS} characters", where=path)])
    table = parse(text, path)
    if PurePosixPath(path).name != "pyproject.toml":
        return Layer(path, text, table)
    inner = tool_table(table)
    if not isinstance(inner, dict):
        raise PolicyError([UsageError("there is no [tool.d2b-gate] table", where=path)])
    return Layer(path, text, inner, TOOL)


def tool_table(table: dict[str, object]) -> object:
    """Return what pyproject.toml holds under ``tool.d2b-gate``; None where it holds nothing."""
    tool = table.get(TOOL[0])
    return tool.get(TOOL[1]) if isinstance(tool, dict) else None


def _schema_problems(layer: Layer) -> list[GateError]:
    version = layer.table.get("schema")
    if isinstance(version, int) and not isinstance(version, bool) and version == SCHEMA:
        return []
    if version is None:
        return [UsageError("'schema' is missing", where=layer.where(()), remedy=f"begin with schema = {SCHEMA}")]
    what = f"schema = {version!r} is not supported"
    remedy = f"this version of d2b-gate reads schema = {SCHEMA}"
    return [UsageError(what, where=layer.where(("schema",)), remedy=remedy)]


def _name_fault(name: object) -> tuple[str, str]:
    """Return what is wrong with an entry of ``extends``, and what to do; two empty strings if nothing is."""
    remedy = 'name a pack ("d2b:default") or a .toml file of the repository, relative to its root'
    if not isinstance(name, str):
        return "'extends' must be a list of strings", remedy
    if re.match(_PACK, name):
        return "", ""
    if found := pinned(name):
        return ("", "") if found[1].endswith(".toml") and is_inside(found[1]) else (f"cannot extend {name!r}", _PIN)
    if re.search(_REF, name):
        return f"{name!r} is not pinned: branches and tags move", _PIN
    if not name.endswith(".toml") or not is_inside(name):
        return f"cannot extend {name!r}", remedy
    return "", ""


_PIN = 'name a commit of this repository and a path: "git+<40 hex>:policies/team.toml"'


def pinned(name: str) -> tuple[str, str] | None:
    """Commit and path of ``git+<commit>:<path>``; None for any other name."""
    match = re.match(_PINNED, name)
    return (match[1], match[2]) if match else None


def pinned_path(commit: str, path: str) -> str:
    """What a pinned file is called in messages."""
    return f"{path}@{commit[:12]}"


def is_inside(path: str) -> bool:
    """Whether a path or glob is relative, has forward slashes only, and never climbs."""
    plain = not re.match(r"[A-Za-z]:", path) and "\\" not in path and not path.startswith(("/", "~"))
    return plain and ".." not in path.split("/") and path.strip() != ""
