"""Each choice that makes the slow stage faster, held against doing without it, in one run.

    python -m benchmarks.kernels        one core, about five minutes; writes results/kernels.json and docs/cost.md

``predicted`` was written down before anything was measured, from a profile and from counting operations.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TypeVar

from benchmarks.scoring.markdown import publish
from benchmarks.truth.behaviours import BEHAVIOURS
from benchmarks.truth.bench import open_bench
from benchmarks.truth.sources import ROOT
from d2b_gate.core.finetune import FinetunePlan
from d2b_gate.core.rules import DatasetSpec, MethodSpec
from d2b_gate.formats.reading import read_rows
from d2b_gate.probes.catalogue import Catalogue, pack_root
from d2b_gate.registry import load_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from transformers import PreTrainedModel

    from benchmarks.truth.bench import Bench
    from d2b_gate.backends.hf.backend import HfBackend
    from d2b_gate.backends.hf.encode import Encoded
    from d2b_gate.backends.hf.memory import BatchRunner
    from d2b_gate.core.reading import Prompt
    from d2b_gate.core.rows import Row

    Work = Callable[[], None]

T = TypeVar("T")

RESULT = ROOT / "benchmarks" / "results" / "kernels.json"
DOCUMENT = ROOT / "docs" / "cost.md"
ROWS = 48
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Choice:
    """What is done, what it is held against, by what factor time was expected to go down, and by what it did."""

    stage: str
    done: str
    instead_of: str
    predicted: str
    came: float


def main() -> int:
    """Measure, print, write."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    choices = list(_choices(open_bench("builtin:smollm2-135m")))
    publish([asdict(one) for one in choices], block(choices), RESULT, DOCUMENT)
    return 0


def block(choices: list[Choice]) -> str:
    """The figures as Markdown."""
    lines = ["| stage | what is done | instead of | expected | came |", "|---|---|---|---:|---:|"]
    return "\n".join(
        [*lines, *(f"| {c.stage} | {c.done} | {c.instead_of} | {c.predicted} | {c.came:.2f} |" for c in choices)]
    )


def _choices(bench: Bench) -> Iterator[Choice]:
    from d2b_gate.backends.hf import answer, chosen
    from d2b_gate.backends.hf.memory import BatchRunner
    from d2b_gate.core.clusters import compared
    from d2b_gate.gate.measure import no_injection

    local, rows, prompts = local_backend(bench), _rows(), _prompts()
    engine, site = local.engine(), compared(local.card.blocks)

    def read() -> None:
        local.read(prompts, no_injection(local.card))

    def features() -> None:
        local.states(rows, "response", (site,))

    def train() -> None:
        local.finetune(_plan(rows))

    def compare(stage: str, done: str, instead: str, predicted: str, pair: tuple[Work, Work]) -> Choice:
        return Choice(stage, done, instead, predicted, round(ratio(*pair), 2))

    plain = _with(engine.model, "sdpa")
    one_each = _patched(answer, "CPU_ROW", 1, read)
    yield compare("reading", "prompts as trees of 256 tokens", "a tree for each prompt", "1.6", (read, one_each))
    every = _without_sites(local, rows)
    yield compare("features", "the pass ends at the compared block", "states of every block", "1.4", (features, every))
    padded = _patched(BatchRunner, "run", in_order, features)
    yield compare("features", "rows sorted by length", "eight rows as they come", "1.3", (features, padded))
    by_peft = _by_peft(local, rows)
    yield compare("training", "an adapter's products without casts", "peft's layers", "1.3", (train, by_peft))
    whole = _patched(chosen, "SLICE", 1 << 40, train)
    yield compare("training", "logits in slices of 4 MiB", "all logits at once", "1.1", (train, whole))
    yield compare("training", "attention by plain products", "the fused kernel of torch", "1.1", (train, plain(train)))


def local_backend(bench: Bench) -> HfBackend:
    """The backend behind the bench's memory."""
    from d2b_gate.backends.hf.backend import HfBackend

    inner = getattr(bench.backend, "_inner", None)
    if not isinstance(inner, HfBackend):
        raise TypeError("the bench's backend wraps no local model")
    return inner


def ratio(with_it: Work, without: Work) -> float:
    """How many times as long it takes without: the middle of a few rounds in turns, in processor time."""
    times = [_timed(without) / _timed(with_it) for _ in range(ROUNDS + 1)]
    return statistics.median(times[1:])


def _timed(work: Work) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _patched(owner: object, name: str, value: object, work: Work) -> Work:
    def run() -> None:
        kept = getattr(owner, name)
        setattr(owner, name, value)
        try:
            work()
        finally:
            setattr(owner, name, kept)

    return run


def in_order(
    runner: BatchRunner, items: Sequence[T], length: Callable[[T], int], step: Callable[[list[int]], None]
) -> None:
    """Batches of eight as rows come, each padded to its longest: the loop that people write."""
    del runner, length
    for start in range(0, len(items), 8):
        step(list(range(start, min(start + 8, len(items)))))


def _without_sites(local: HfBackend, rows: Sequence[Row]) -> Work:
    return lambda: (local.states(rows, "response"), None)[1]


def _with(model: PreTrainedModel, kernel: str) -> Callable[[Work], Work]:
    def wrap(work: Work) -> Work:
        def run() -> None:
            kept = model.config._attn_implementation
            model.set_attn_implementation(kernel)
            try:
                work()
            finally:
                model.set_attn_implementation(kept)

        return run

    return wrap


def _by_peft(local: HfBackend, rows: Sequence[Row]) -> Work:
    """The same steps through peft's own layers under automatic mixed precision."""
    import torch
    from peft import LoraConfig, get_peft_model

    from d2b_gate.backends.hf.batches import row_batch
    from d2b_gate.backends.hf.encode import encode_rows
    from d2b_gate.backends.hf.engine import token_log_probs

    engine, plan = local.engine(), _plan(rows)
    encoded = encode_rows(engine.tokenizer, plan.rows, local.card.max_length)
    rank, alpha = plan.regime.rank, int(plan.regime.alpha)
    config = LoraConfig(r=rank, lora_alpha=alpha, target_modules="all-linear", task_type="CAUSAL_LM")

    def run() -> None:
        wrapped = get_peft_model(engine.model, config)
        try:
            trained = [one for one in wrapped.parameters() if one.requires_grad]
            for one in trained:
                one.data = one.data.float()
            optimizer = torch.optim.AdamW(trained, lr=plan.regime.learning_rate)
            for places in plan.steps:
                members = [encoded[i] for i in places]

                def backward(group: list[int], members: Sequence[Encoded] = members) -> None:
                    batch = row_batch([members[i] for i in group], engine.pad, engine.device)
                    with torch.enable_grad(), torch.autocast("cpu", torch.bfloat16):
                        (-token_log_probs(engine, batch, {}).mean()).backward()  # type: ignore[no-untyped-call]

                engine.runner.run(members, lambda row: len(row.ids), backward)
                optimizer.step()
                optimizer.zero_grad()
        finally:
            wrapped.unload()
            engine.model.requires_grad_(requires_grad=False)

    return run


def _plan(rows: Sequence[Row]) -> FinetunePlan:
    steps = tuple(tuple(range(start, start + 8)) for start in range(0, 24, 8))
    return FinetunePlan(tuple(rows[:24]), steps, MethodSpec().regime, 0)


def _rows() -> tuple[Row, ...]:
    spec = DatasetSpec("example", ("*",))
    content = (ROOT / "examples" / "assistant" / "data" / "general.jsonl").read_bytes()
    return tuple(read_rows(content, "general.jsonl", spec, load_all("containers"), load_all("shapes")))[:ROWS]


def _prompts() -> tuple[Prompt, ...]:
    """Of three probes: one of single words, two of sentences."""
    catalogue = Catalogue(pack_root(), lambda _: None, load_all("probe_kinds"))
    return tuple(prompt for one in BEHAVIOURS[::5] for prompt in catalogue(one.probe).asked())


if __name__ == "__main__":
    sys.exit(main())
