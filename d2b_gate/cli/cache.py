"""`cache info`, `cache gc`, `cache clear`: the store, the kept results, and the models beside them."""

from __future__ import annotations

import shutil
from contextlib import closing
from typing import TYPE_CHECKING

from d2b_gate.backends.told import RAYS, REMOTES
from d2b_gate.cli.console import show
from d2b_gate.cli.sizes import readable
from d2b_gate.cli.stored import RESULTS
from d2b_gate.core.errors import EvaluationError, Exit
from d2b_gate.core.printable import printable
from d2b_gate.store.bound import bound_of_machine
from d2b_gate.store.paths import cache_root
from d2b_gate.store.sizes import StoreSize
from d2b_gate.store.sqlite import DiskStore, open_store

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

STORE = "store"
MODELS = "models"
TRAINING = "training"
"""Where interrupted trainings keep their progress."""


def run_info(arguments: Namespace) -> int:
    """Print where things are kept and how much there is."""
    del arguments
    root = cache_root()
    size = _store_size(root)
    lines = (
        f"cache    {printable(str(root))}",
        f"store    {size.values} values, {size.arrays} arrays and {size.features} features of rows,"
        f" {readable(size.bytes)} of at most {readable(bound_of_machine())}",
        f"results  {sum(1 for _ in (root / RESULTS).glob('*.json'))}, {readable(_bytes_below(root / RESULTS))}",
        f"training {readable(_bytes_below(root / TRAINING))}",
        f"remotes  {readable(_bytes_below(root / REMOTES))}",
        f"rays     {readable(_bytes_below(root / RAYS))}",
        f"models   {readable(_bytes_below(root / MODELS))}",
    )
    show("".join(f"{line}\n" for line in lines))
    return int(Exit.OK)


def run_gc(arguments: Namespace) -> int:
    """Forget the least recently used."""
    freed = 0
    elsewhere = (one for name in (REMOTES, RAYS) for one in (cache_root() / name).glob("*"))
    for root in (cache_root(), *elsewhere):
        if _has_store(root):
            with closing(_open(root)) as store:
                freed += store.gc(arguments.max_bytes)
                _refuse_silence(store)
    _tell(arguments, f"freed {readable(freed)}; at most {readable(arguments.max_bytes)} stay")
    return int(Exit.OK)


def run_clear(arguments: Namespace) -> int:
    """Forget values, arrays, features, results and unfinished trainings; a model takes minutes to fetch and stays."""
    root = cache_root()
    freed = sum(_remove(root / name) for name in (RESULTS, TRAINING, REMOTES, RAYS))
    if _has_store(root):
        with closing(_open(root)) as store:
            freed += store.size().bytes
            store.clear()
            _refuse_silence(store)
    _tell(arguments, f"freed {readable(freed)}; models stay in {printable(str(root / MODELS))}")
    return int(Exit.OK)


def _remove(folder: Path) -> int:
    """Remove a folder if it is there; returns the bytes that it held."""
    freed = _bytes_below(folder)
    try:
        if folder.is_dir():
            shutil.rmtree(folder)
    except OSError as error:
        raise EvaluationError(f"cannot be removed ({error.strerror})", where=str(folder)) from error
    return freed


def _tell(arguments: Namespace, line: str) -> None:
    if not arguments.quiet:
        show(f"{line}\n")


def _has_store(root: Path) -> bool:
    return (root / STORE).is_dir()


def _store_size(root: Path) -> StoreSize:
    """Looking creates nothing."""
    if not _has_store(root):
        return StoreSize(0, 0, 0)
    with closing(_open(root)) as store:
        return store.size()


def _open(root: Path) -> DiskStore:
    store = open_store(root / STORE)
    if not isinstance(store, DiskStore):
        raise EvaluationError(store.problem, remedy="make the directory writable, or name another: D2B_GATE_CACHE_DIR")
    return store


def _refuse_silence(store: DiskStore) -> None:
    """A store never fails a check; here its failure is the answer."""
    if store.problem:
        raise EvaluationError(store.problem)


def _bytes_below(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
