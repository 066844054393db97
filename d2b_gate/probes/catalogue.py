"""Where probes are found: the shipped pack, and files of the user's repository."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from d2b_gate.core.ports import ProbeKind
    from d2b_gate.core.reading import Probe


class Catalogue:
    """Reads probes by reference: an id of the pack (``bias/animals``), or a path ending in ``.toml``.

    ``pack_dir`` is the folder of the shipped policies (see `pack_root`). ``repo_reader`` returns a file of the state
    that is judged, or None where it has no such file, so that a probe comes from git and not from the working tree.
    """

    def __init__(
        self, pack_dir: Path, repo_reader: Callable[[str], str | None], kinds: Mapping[str, ProbeKind]
    ) -> None:
        self._pack = pack_dir / "probes"
        self._repo_reader = repo_reader
        self._kinds = kinds
        self._probes: dict[str, Probe] = {}

    def __call__(self, reference: str) -> Probe:
        """Return the probe; each is read once.

        Raises:
            UsageError: there is no such probe.
            PolicyError: its file has problems.
        """
        if reference not in self._probes:
            from d2b_gate.probes.read import read_probe  # hooks with nothing to do need `pack_root` alone

            self._probes[reference] = read_probe(*self._file(reference), self._kinds)
        return self._probes[reference]

    def available(self) -> tuple[str, ...]:
        """Ids of the pack, sorted."""
        files = self._pack.rglob("*.toml")
        return tuple(sorted(file.relative_to(self._pack).with_suffix("").as_posix() for file in files))

    def _file(self, reference: str) -> tuple[str, str]:
        """Text and shown path of a reference."""
        if reference.endswith(".toml"):
            return self._repository_file(reference), reference
        if reference not in (known := self.available()):
            from d2b_gate.core.suggest import did_you_mean

            hint = f"{did_you_mean(reference, known)} (the path of a .toml file in the repository works too)"
            raise UsageError(f"unknown probe {reference!r}", remedy=hint)
        return (self._pack / f"{reference}.toml").read_text(encoding="utf-8"), f"d2b:probes/{reference}.toml"

    def _repository_file(self, path: str) -> str:
        if "\\" in path or PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            remedy = "write it relative to the repository's root, with forward slashes"
            raise UsageError(f"the probe path {path!r} must stay inside the repository", remedy=remedy)
        text = self._repo_reader(path)
        if text is None:
            raise UsageError(f"there is no probe file {path!r}", remedy="add it to git, or name a probe of the pack")
        return text


def pack_root() -> Path:
    """Return the folder of the shipped policies: inside the wheel, or beside the package in a checkout.

    Raises:
        EvaluationError: neither is there.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "_policies", package.parent / "policies"):
        if (folder / "probes").is_dir():
            return folder
    raise EvaluationError("the shipped policies are missing", where=str(package), remedy="reinstall d2b-gate")
