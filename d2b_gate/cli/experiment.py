"""What `validate` and `calibrate` share: the policy as it is on disk, its ports, and rows read from files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.calibrations import calibrations
from d2b_gate.cli.context import Standpoint, worktree_reader
from d2b_gate.cli.policy_reading import read_the_policy
from d2b_gate.cli.wiring import running_of, wire
from d2b_gate.core.errors import EvaluationError, UsageError
from d2b_gate.core.printable import printable
from d2b_gate.core.rules import DatasetSpec
from d2b_gate.formats.reading import read_rows
from d2b_gate.policy.find import find_policy
from d2b_gate.registry import load_all
from d2b_gate.sources.git import INDEX, find_repository
from d2b_gate.sources.globs import Globs

if TYPE_CHECKING:
    from argparse import Namespace

    from d2b_gate.cli.progress import Silent
    from d2b_gate.core.rows import Row
    from d2b_gate.core.rules import Policy
    from d2b_gate.gate.ports import Ports
    from d2b_gate.sources.git import Repository

LEDGER = "d2b-gate.ledger.jsonl"
"""What was predicted and what came, beside the policy."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """A policy under trial: nothing here judges a change, so files are read as they are on disk."""

    root: Path
    policy: Policy
    ports: Ports


def experiment(repository: Repository, arguments: Namespace, progress: Silent, *, calibrated: bool) -> Experiment:
    """Read the policy of the working tree and open its model.

    ``calibrated``: whether to read calibrations; one that is damaged must not keep `calibrate` from replacing it.
    """
    stand = Standpoint(repository, "staged", "hook", INDEX)
    reader = worktree_reader(repository.root)
    policy, catalogue = read_the_policy(find_policy(reader), reader)
    running = running_of(arguments, progress)
    policy, ports = wire(policy, catalogue, stand, running, calibrations(reader) if calibrated else ())
    return Experiment(repository.root, policy, ports)


def here() -> Repository:
    """The repository around the working directory."""
    return find_repository(Path.cwd())


def file_rows(path: Path, policy: Policy, root: Path) -> tuple[Row, ...]:
    """Rows of one file, read as the policy's dataset that names it says, or found out.

    Raises:
        UsageError: no such file.
        EvaluationError: a file or a row that cannot be read.
    """
    where = printable(str(path))
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise UsageError("there is no such file of rows", where=where, remedy="correct the path") from error
    except OSError as error:
        raise EvaluationError(
            f"cannot read the data: {error.strerror}", where=where, remedy="make it readable"
        ) from error
    name = shown(path, root)
    specs = [spec for spec in policy.datasets if Globs(spec.include, spec.exclude).concerns(name)]
    spec = specs[0] if specs else DatasetSpec(path.stem, ())
    return tuple(read_rows(content, name, spec, load_all("containers"), load_all("shapes")))


def shown(path: Path, root: Path) -> str:
    """A path as the repository names it, or as it was given."""
    whole = path.resolve()
    return whole.relative_to(root).as_posix() if whole.is_relative_to(root) else path.as_posix()
