"""What can be chosen by name. To add one: write its module, add its line here; the conformance suites then test it.

Values are strings and imported on use, so that naming a backend does not import torch. A plugin of another
distribution is found through the entry-point group ``d2b_gate.<table>``, consulted only after a miss here.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError, UsageError
from d2b_gate.core.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

CONTAINERS: Mapping[str, str] = {
    "jsonl": "d2b_gate.formats.containers.jsonl",
    "json": "d2b_gate.formats.containers.json_array",
    "csv": "d2b_gate.formats.containers.csv_file",
    "tsv": "d2b_gate.formats.containers.tsv_file",
    "parquet": "d2b_gate.formats.containers.parquet",
    "plain": "d2b_gate.formats.containers.plain_text",
}
SHAPES: Mapping[str, str] = {
    "preference": "d2b_gate.formats.shapes.preference",
    "unpaired-preference": "d2b_gate.formats.shapes.unpaired_preference",
    "messages": "d2b_gate.formats.shapes.messages",
    "sharegpt": "d2b_gate.formats.shapes.sharegpt",
    "alpaca": "d2b_gate.formats.shapes.alpaca",
    "prompt-completion": "d2b_gate.formats.shapes.prompt_completion",
    "text": "d2b_gate.formats.shapes.text",
}
PROBE_KINDS: Mapping[str, str] = {
    "choice": "d2b_gate.probes.choice",
    "contrast": "d2b_gate.probes.contrast",
}
PREDICTORS: Mapping[str, str] = {
    "mdf": "d2b_gate.predictors.mdf",
    "mdf-gradient": "d2b_gate.predictors.gradient",
    "mdf-tuned": "d2b_gate.predictors.tuned",
    "proxy-lora": "d2b_gate.predictors.proxy",
}
BACKENDS: Mapping[str, str] = {
    "local": "d2b_gate.backends.hf.opening",
    "warm": "d2b_gate.backends.remote.warm",
    "remote": "d2b_gate.backends.remote.opening",
    "ray": "d2b_gate.backends.ray.opening",
    "fake": "d2b_gate.backends.fake",
}
REPORTS: Mapping[str, str] = {
    "full": "d2b_gate.reports.full",
    "concise": "d2b_gate.reports.concise",
    "json": "d2b_gate.reports.json",
    "html": "d2b_gate.reports.html",
    "markdown": "d2b_gate.reports.markdown",
    "github": "d2b_gate.reports.github",
    "gitlab": "d2b_gate.reports.gitlab",
    "sarif": "d2b_gate.reports.sarif",
    "junit": "d2b_gate.reports.junit",
}
EXTRAS: Mapping[str, tuple[str, ...]] = {"html": ("jinja2", "matplotlib")}
"""Reports that need the extra of their name, and the libraries that it brings."""

TABLES: Mapping[str, Mapping[str, str]] = {
    "containers": CONTAINERS,
    "shapes": SHAPES,
    "probe_kinds": PROBE_KINDS,
    "predictors": PREDICTORS,
    "backends": BACKENDS,
    "reports": REPORTS,
}


def load(table: str, name: str) -> ModuleType:
    """Return the module registered as ``name``.

    Raises:
        UsageError: no such name; the message lists what there is and guesses what was meant.
    """
    path = TABLES[table].get(name) or _plugin(table, name)
    if not path:
        raise UsageError(
            f"there is no {table[:-1].replace('_', ' ')} {name!r}", remedy=did_you_mean(name, TABLES[table])
        )
    return importlib.import_module(path)


def load_all(table: str) -> dict[str, ModuleType]:
    """Return every module of a table by name, in the table's order."""
    return {name: importlib.import_module(path) for name, path in TABLES[table].items()}


def require_extra(report: str) -> None:
    """See that a report's libraries are installed, without importing them.

    Raises:
        EvaluationError: one is not; the message names the extra that brings it.
    """
    missing = [library for library in EXTRAS.get(report, ()) if importlib.util.find_spec(library) is None]
    if missing:
        raise EvaluationError(
            f"the {report} report needs {' and '.join(missing)}", remedy=f'run: pip install "d2b-gate[{report}]"'
        )


def _plugin(table: str, name: str) -> str:
    from importlib.metadata import entry_points

    return next((point.value for point in entry_points(group=f"d2b_gate.{table}") if point.name == name), "")
