"""What the gate costs beside the fine-tune that it predicts: one run, the same model and data.

    python -m benchmarks.cost                       everything; writes benchmarks/results/cost.json, and docs/cost.md
    python -m benchmarks.cost --only warm,startup  some parts again; the others are kept, each with its own date
    python -m benchmarks.cost --device cuda --shape qwen3-14b   the goals of a GPU, weights at random
    python -m benchmarks.cost --write-docs          nothing is measured: the documents say what the results say

Embedded model in bfloat16, the regime and method of the default policy. On two idle cores a run takes about 45 minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.changes import ROOT
from benchmarks.costing import commits
from benchmarks.costing.documents import write_docs
from benchmarks.costing.goals import markdown, table_of
from benchmarks.costing.memory import memory
from benchmarks.costing.ratios import ratios

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from d2b_gate.core.rows import Row

RESULT = ROOT / "benchmarks" / "results" / "cost.json"
PARTS = ("finetune", "extraction", "cold", "warm", "half", "startup", "memory")
SHAPE = "qwen3-14b"


def main() -> int:
    """Measure, print, write."""
    arguments = _arguments()
    if arguments.write_docs:
        write_docs(json.loads(RESULT.read_text(encoding="utf-8")), ROOT)
        return 0
    record = measure(arguments)
    print(markdown(record["goals"]))
    if arguments.result == RESULT:
        write_docs(record, ROOT)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000, help="rows of the data (default: 10000)")
    parser.add_argument("--steps", type=int, default=200, help="steps of each fine-tune that are timed (default: 200)")
    parser.add_argument("--sample", type=int, default=128, help="rows whose features are timed (default: 128)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of features (default: 3)")
    parser.add_argument("--starts", type=int, default=20, help="rounds of start-up (default: 20)")
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts to measure, of {', '.join(PARTS)}")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument(
        "--shape", choices=(SHAPE, "tiny"), help="a model of this shape, weights at random: features only"
    )
    parser.add_argument("--tokenizer", type=Path, help="folder of a tokenizer, where the embedded model is not at hand")
    parser.add_argument("--result", type=Path, default=RESULT, help="where the figures go")
    parser.add_argument(
        "--write-docs", action="store_true", help="measure nothing; write the documents from the results"
    )
    arguments = parser.parse_args()
    unknown = set(arguments.only.split(",")) - set(PARTS)
    if unknown or (arguments.device == "cuda" and not arguments.shape):
        parser.error(f"unknown parts {sorted(unknown)}" if unknown else "--device cuda needs --shape")
    return arguments


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure the parts asked for and join them with those of earlier runs; what is measured is kept at once."""
    known = json.loads(arguments.result.read_text(encoding="utf-8")) if arguments.result.is_file() else {}
    parts: dict[str, Any] = dict(known.get("parts", {}))
    stamp = {"measured": datetime.now(timezone.utc).isoformat(timespec="minutes")}
    record: dict[str, Any] = {}
    for name, part in [("gpu", _of_shape(arguments))] if arguments.shape else _of_embedded(arguments):
        parts[name] = part | stamp
        record = _record(parts)
        arguments.result.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    if len(_sizes(parts)) > 1:
        raise SystemExit("parts of runs over different numbers of rows make no ratio: measure them again together")
    return record


def _record(parts: dict[str, Any]) -> dict[str, Any]:
    """The parts with what follows from them; ratios only where all are about the same rows."""
    compared = ("finetune", "extraction", "cold", "warm")
    parts.pop("ratios", None)
    if parts.keys() >= set(compared) and len(_sizes(parts)) == 1:
        parts["ratios"] = ratios(*(parts[name] for name in compared))
    device = f"{os.cpu_count()} cores, {platform.machine()}"
    return {"goals": table_of(parts, device), "machine": _machine(), "parts": parts}


def _sizes(parts: Mapping[str, Any]) -> set[int]:
    return {parts[name][key] for name, key in (("finetune", "rows"), ("cold", "of"), ("warm", "of")) if name in parts}


def _of_embedded(arguments: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each part as soon as it is measured."""
    asked = arguments.only.split(",")
    with tempfile.TemporaryDirectory() as folder:
        todo: dict[str, Callable[[], dict[str, Any]]] = {
            "finetune": lambda: _finetune(arguments),
            "extraction": lambda: _extraction(arguments),
            "cold": lambda: commits.cold(Path(folder) / "cold", _rows(arguments)[: arguments.rows]),
            "warm": lambda: commits.warm(Path(folder) / "warm", _rows(arguments), arguments.rows),
            "half": lambda: commits.half(Path(folder) / "half", _rows(arguments), arguments.rows),
            "startup": lambda: _startup(arguments, Path(folder)),
            "memory": lambda: memory(ROOT / "benchmarks" / "results" / "rows.json"),
        }
        for name in PARTS:
            if name in asked:
                began = time.perf_counter()
                yield name, todo[name]()
                print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)


def _finetune(arguments: argparse.Namespace) -> dict[str, Any]:
    from benchmarks.costing import finetunes
    from benchmarks.costing.models import embedded
    from benchmarks.costing.rows import draw_rows
    from d2b_gate.core.rules import Regime

    drawn = draw_rows(arguments.rows)
    figures = finetunes.compare(embedded().engine(), drawn.rows, Regime(), arguments.steps)
    return {"rows": len(drawn.rows), "source": drawn.source, **figures}


def _extraction(arguments: argparse.Namespace) -> dict[str, Any]:
    from transformers import AutoModelForCausalLM

    from benchmarks.costing import extraction
    from benchmarks.costing.models import embedded, folder_of_embedded
    from benchmarks.costing.rows import draw_rows

    rows = draw_rows(arguments.rows).rows[: arguments.sample]
    engine = embedded().engine()
    return extraction.compare(
        engine, rows, lambda: AutoModelForCausalLM.from_pretrained(folder_of_embedded()).eval(), arguments.rounds
    )


def _of_shape(arguments: argparse.Namespace) -> dict[str, Any]:
    import torch

    from benchmarks.costing import extraction
    from benchmarks.costing.models import at_random, folder_of_embedded, tokenizer_in
    from benchmarks.costing.rows import draw_rows

    tokenizer = tokenizer_in(arguments.tokenizer or folder_of_embedded())
    engine = at_random(arguments.shape, arguments.device, tokenizer)
    rows = draw_rows(arguments.rows).rows[: arguments.sample]
    figures = extraction.compare(engine, rows, lambda: engine.model, arguments.rounds)
    if arguments.device != "cuda" or arguments.shape != SHAPE:
        return {"why": f"{arguments.shape} on {arguments.device} is no {SHAPE} on a GPU", "figures": figures}
    return {**figures, "device": torch.cuda.get_device_name(), "shape": arguments.shape}


def _rows(arguments: argparse.Namespace) -> Sequence[Row]:
    from benchmarks.costing.rows import draw_rows

    return draw_rows(arguments.rows + commits.spares(arguments.rows)).rows


def _startup(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    from benchmarks.costing import known

    return known.measure(folder / "warm", arguments.starts)


def _machine() -> dict[str, Any]:
    from importlib.metadata import version

    libraries = {name: version(name) for name in ("torch", "transformers", "peft")}
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "libraries": libraries,
    }


if __name__ == "__main__":
    sys.exit(main())
