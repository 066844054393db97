"""`model pull`, `model verify`, `model list`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.console import show
from d2b_gate.cli.sizes import readable
from d2b_gate.core.errors import EvaluationError, Exit, UsageError
from d2b_gate.core.printable import printable
from d2b_gate.store.paths import cache_root

if TYPE_CHECKING:
    from argparse import Namespace

    from d2b_gate.backends.hf.models.files import ModelFiles
    from d2b_gate.backends.hf.models.listing import ListedModel


def run_pull(arguments: Namespace) -> int:
    """Fetch a built-in model, unless it is here and whole."""
    from d2b_gate.backends.hf.models.pull import pull
    from d2b_gate.cli.progress import make_progress

    with make_progress(quiet=arguments.quiet) as progress:
        files = pull(arguments.name, cache_root(), progress)
    if not arguments.quiet:
        show(f"{files.id} is ready: {_extent(files)} in {printable(str(files.path))}\n")
    return int(Exit.OK)


def run_verify(arguments: Namespace) -> int:
    """Hash a model's files again, whatever their times say."""
    if _is_directory(arguments.name):
        return _hash_directory(Path(arguments.name).expanduser())
    from d2b_gate.backends.hf.models.verify import verify

    for files in _named(arguments.name):
        problems = verify(files)
        if problems:
            what = "; ".join(f"{problem.file} {problem.what}" for problem in problems)
            remedy = "find out who changed it, or delete that directory and fetch the model again"
            raise EvaluationError(f"{files.id} is not what was fetched: {what}", where=str(files.path), remedy=remedy)
        if not arguments.quiet:
            show(f"{printable(files.id)} is intact: {_extent(files)}, revision {files.revision}\n")
    return int(Exit.OK)


def run_list(arguments: Namespace) -> int:
    """List built-in models, and others that were used."""
    from d2b_gate.backends.hf.models.listing import list_models

    models = list_models(cache_root())
    if arguments.format == "json":
        import json

        show(json.dumps([_entry(model) for model in models], indent=2) + "\n")
    else:
        show("".join(f"{printable(_line(model))}\n" for model in models))
    return int(Exit.OK)


def _is_directory(name: str) -> bool:
    """A name with a separator may be a hub id as well: that one is a directory only if it says so with a dot."""
    return name.startswith((".", "/", "~", "\\")) or name[1:2] == ":"


def _hash_directory(directory: Path) -> int:
    """Print the pin of a local model, for the policy's ``model.sha256``."""
    from d2b_gate.backends.hf.models.directory import refuse_unsafe
    from d2b_gate.backends.hf.models.files import file_names, hashed, tree_sha256

    if not directory.is_dir():
        raise UsageError("is not a directory", where=printable(str(directory)), remedy="name a model's directory")
    refuse_unsafe(directory)
    entries = tuple(hashed(directory, name) for name in file_names(directory))
    show(f'sha256 = "{tree_sha256(entries)}"\n')
    return int(Exit.OK)


def _named(name: str) -> tuple[ModelFiles, ...]:
    """The models at hand that a name means: all revisions of a hub id."""
    from d2b_gate.backends.hf.models.builtin import PREFIX, find_builtin
    from d2b_gate.backends.hf.models.listing import list_models

    models = list_models(cache_root())
    here = tuple(model.files for model in models if model.files and model.id in (name, PREFIX + name))
    if here:
        return here
    builtin = find_builtin(name)
    raise EvaluationError(f"model {builtin.id} was not fetched yet", remedy=f"run: d2b-gate model pull {builtin.name}")


def _extent(files: ModelFiles) -> str:
    return f"{len(files.entries)} files, {readable(sum(one.size for one in files.entries))}"


def _line(model: ListedModel) -> str:
    if model.files is None:
        return f"{model.id}  not fetched; d2b-gate model pull {model.id.partition(':')[2]}"
    return f"{model.id}  {readable(model.bytes)}  revision {model.revision[:12]}  {model.files.path}"


def _entry(model: ListedModel) -> dict[str, object]:
    return {
        "id": model.id,
        "revision": model.revision,
        "licence": model.licence,
        "here": model.files is not None,
        "bytes": model.bytes,
        "path": str(model.files.path) if model.files else "",
    }
