"""`policy show` and `policy schema`: the policy itself, with nothing judged and no model."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.console import show
from d2b_gate.cli.context import text_reader, worktree_reader
from d2b_gate.core.errors import Exit
from d2b_gate.core.printable import printable
from d2b_gate.policy.find import find_policy
from d2b_gate.sources.git import INDEX, find_repository

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator

    from d2b_gate.core.rules import DatasetSpec, Policy, Rule
    from d2b_gate.policy.origin import Origin
    from d2b_gate.sources.git import Repository


def run_show(arguments: Namespace) -> int:
    """Print the effective policy."""
    if arguments.origin:
        return _show_origins(arguments)
    policy = _policy(arguments)
    if arguments.format == "toml":
        from d2b_gate.policy.render import render

        show(render(policy))
    elif arguments.format == "json":
        show(json.dumps(_plain(asdict(policy)), indent=2) + "\n")
    else:
        show("".join(f"{printable(line)}\n" for line in _lines(policy)))
    return int(Exit.OK)


def _show_origins(arguments: Namespace) -> int:
    from d2b_gate.cli.policy_reading import read_the_effective
    from d2b_gate.policy.origin import origins

    with find_repository(Path.cwd()) as repository:
        reader = reader_of(repository, arguments)
        effective, _ = read_the_effective(find_policy(reader), reader)
        found = list(origins(effective))
    if arguments.format == "json":
        show(json.dumps([asdict(one) for one in found], indent=2) + "\n")
    else:
        width = max(len(one.where) for one in found)
        show("".join(f"{printable(_origin_line(one, width))}\n" for one in found))
    return int(Exit.OK)


def _origin_line(origin: Origin, width: int) -> str:
    mark = f"   (loosens {origin.loosens})" if origin.loosens else ""
    return f"{origin.where:<{width}}  {origin.name} = {origin.value}{mark}"


def run_schema(arguments: Namespace) -> int:
    """Print the JSON Schema, or write it and print the line by which editors find it without a network."""
    from d2b_gate.policy.schema import json_schema, waivers_schema

    text = json.dumps(waivers_schema() if arguments.waivers else json_schema(), indent=2) + "\n"
    if not arguments.output:
        show(text)
        return int(Exit.OK)
    from d2b_gate.cli.output import writable, write_whole

    path = writable(arguments.output)
    write_whole(path, text)
    with find_repository(Path.cwd()) as repository:
        beside = Path(os.path.relpath(path.absolute(), repository.root)).as_posix()
    show(f"#:schema {beside if beside.startswith('..') else f'./{beside}'}\n")
    return int(Exit.OK)


def _policy(arguments: Namespace) -> Policy:
    with find_repository(Path.cwd()) as repository:
        reader = reader_of(repository, arguments)
        found = find_policy(reader)
        from d2b_gate.cli.policy_reading import read_the_policy

        return read_the_policy(found, reader)[0]


def reader_of(repository: Repository, arguments: Namespace) -> Callable[[str], str | None]:
    """Read files of the state that the flags name."""
    if arguments.worktree:
        return worktree_reader(repository.root)
    return text_reader(repository, arguments.ref or INDEX)


def paths_of(repository: Repository, arguments: Namespace) -> list[str]:
    """Every file of the state that the flags name, in order."""
    if arguments.worktree:
        root = repository.root
        return sorted(file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file())
    ref = arguments.ref or INDEX
    snapshot = repository.snapshot_index() if ref == INDEX else repository.snapshot_commit(ref)
    return [file.path for file in snapshot.files]


def state_in_words(arguments: Namespace) -> str:
    """``the index``."""
    return "the working tree" if arguments.worktree else printable(arguments.ref or "the index")


def count(number: int, noun: str) -> str:
    """``1 rule``, ``2 rules``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _plain(value: object) -> object:
    """JSON has no infinity: a ceiling that is absent is null."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and math.isinf(value) else value


def _lines(policy: Policy) -> Iterator[str]:
    model, method, regime = policy.model, policy.method, policy.method.regime
    pin = f" at {model.revision or model.sha256}" if model.revision or model.sha256 else ""
    yield f"policy    {policy.path}  {policy.digest[:12]}"
    yield f"model     {model.id}{pin}, {model.dtype}, {model.device}, at most {model.max_length} tokens per row"
    yield f"method    {method.predictor}, seed {method.seed}, {method.confidence:.0%} intervals"
    yield (
        f"regime    {regime.kind}, rank {regime.rank}, alpha {regime.alpha:g}, {regime.optimizer}, "
        f"learning rate {regime.learning_rate:g}, {regime.epochs:g} epochs, batch {regime.batch_size}"
    )
    yield f"backend   {policy.backend.kind}{f' {policy.backend.url}' if policy.backend.url else ''}"
    for dataset in policy.datasets:
        yield _dataset_line(dataset)
    for rule in policy.rules:
        yield _rule_line(rule)


def _dataset_line(dataset: DatasetSpec) -> str:
    left_out = f" without {' '.join(dataset.exclude)}" if dataset.exclude else ""
    return (
        f"dataset   {dataset.name}: {' '.join(dataset.include)}{left_out}, {dataset.format}, weight {dataset.weight:g}"
    )


def _rule_line(rule: Rule) -> str:
    asked = f"{rule.probe} {rule.target}".rstrip()
    ceiling = "" if math.isinf(rule.max_level) else f", level at most {rule.max_level:g}"
    where = f" on {' '.join(rule.datasets)}" if rule.datasets else ""
    locked = ", locked" if rule.locked else ""
    budget = "" if math.isinf(rule.budget_delta) else f", {rule.budget_delta:g} since the baseline"
    limits = f"warn {rule.warn_delta:g}, fail {rule.fail_delta:g}{ceiling}{budget}"
    return f"rule      {rule.id}: {asked}, {rule.direction}, {limits}{where}{locked}  ({rule.origin})"
