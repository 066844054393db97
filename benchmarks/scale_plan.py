"""What a billion rows and a 70B model would take: arithmetic on paper, every input named, nothing of it measured there.

python -m benchmarks.scale_plan            prints the table that docs/scale.md quotes
python -m benchmarks.scale_plan --rows 1e8 --price 2.0
python -m benchmarks.scale_plan --write    puts the table into docs/scale.md
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, fields, replace

from benchmarks.truth.sources import ROOT
from d2b_gate.core.clusters import DEPTH
from d2b_gate.core.rules import MethodSpec

FORWARD, BACKWARD = 2, 4
"""Floating-point operations per parameter and token: forward; forward and backward to adapters or activations."""
VALUE = 2  # bytes of a half-precision number
GUIDE = ROOT / "docs" / "scale.md"
BEGIN, END = "<!-- python -m benchmarks.scale_plan -->", "<!-- end of the plan -->"
PAIR = 2 * 8  # bytes of a coordinate of a signature: sum and squares in float64
HOUR = 3600.0
TRAINING = "the fine-tune that is foretold (LoRA)"
ONE_WORKER = "verdict: "
"""How jobs begin that are not dealt: each training runs on one worker, however many there are."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The inputs; an assumption each, to be replaced by what is known."""

    rows: float = 1e9
    tokens: float = 300.0  # per row
    text: float = 1200.0  # bytes per row of JSONL
    index: float = 100.0  # bytes per row to find its feature again: key, place, overhead of the table
    parameters: float = 70e9
    blocks: int = 80
    width: int = 8192
    depth: float = DEPTH  # share of the blocks below the one site of the cheap feature
    peak: float = 989e12  # operations per second of one GPU: H100 or H200 SXM, bfloat16, dense, by its data sheet
    share: float = 0.4  # of the peak that extraction reaches; the goal on one GPU is 0.6
    spread: float = 2.0  # GPUs that one copy of the model lies on; they take turns at a batch
    price: float = 3.0  # per GPU-hour, in whatever currency
    epochs: float = 3.0  # of the fine-tune that is foretold
    changed: float = 0.01  # share of the rows that one commit changes
    shard: float = 1024.0  # rows of a shard at one site
    read: float = 50_000.0  # rows per second that one process parses and hashes: 57 000 on one core of a 2-core box
    prompts: float = 11 * 32  # of the default pack
    asked: float = 60.0  # tokens of a prompt with its alternatives


def verdict_visits(method: MethodSpec) -> int:
    """Most row visits in the trainings of one verdict: two states, each with its replicates, whatever the rows.

    A state's changed rows get up to as many visits as its kept rows, which get ``steps * batch``.
    """
    return 2 * 2 * method.replicates * method.steps * method.batch


def operations(plan: Plan) -> dict[str, float]:
    """Floating-point operations by job."""
    method = MethodSpec()
    token = plan.rows * plan.tokens * plan.parameters
    trained = verdict_visits(method) * plan.tokens * BACKWARD * plan.parameters
    read = (1 + 2 * method.replicates) * plan.prompts * plan.asked * FORWARD * plan.parameters
    return {
        "verdict: trainings on the subsample": trained,
        "verdict: readings of every prompt": read,
        "every row, states at one site": FORWARD * plan.depth * token,
        "every row, states at all sites": FORWARD * token,
        "every row, gradients": BACKWARD * token,
        "changed rows of a commit, one site": FORWARD * plan.depth * token * plan.changed,
        TRAINING: BACKWARD * plan.epochs * token,
    }


def gpu_hours(plan: Plan, name: str, amount: float) -> float:
    """GPU-hours = operations / (peak x share) / 3600, times the GPUs that take turns at one copy of the model.

    A trainer of the fine-tune keeps all of its GPUs busy, so its hours are not multiplied.
    """
    return amount / (plan.peak * plan.share) / HOUR * (1 if name == TRAINING else plan.spread)


def sizes(plan: Plan) -> dict[str, float]:
    """Bytes by what they hold."""
    site = plan.width * VALUE
    shards = plan.rows / plan.shard
    return {
        "rows, as JSONL": plan.rows * plan.text,
        "features at one site, half precision": plan.rows * site,
        "features at all sites, half precision": plan.rows * site * plan.blocks,
        "index of the features": plan.rows * plan.index,
        "one signature, all sites (whatever the rows)": plan.blocks * plan.width * PAIR,
        "weights, half precision, per worker": plan.parameters * VALUE,
        "travels to workers: rows": plan.rows * plan.text,
        "travels back as features of one site, float32": plan.rows * plan.width * 4,
        "travels back as signatures of shards, one site": shards * plan.width * PAIR,
    }


def table(plan: Plan) -> str:
    """Inputs, work and bytes as Markdown."""
    jobs = operations(plan)
    truth = gpu_hours(plan, TRAINING, jobs[TRAINING])
    work = [_work(plan, name, amount, truth) for name, amount in jobs.items()]
    held = [f"| {name} | {_bytes(amount)} |" for name, amount in sizes(plan).items()]
    reading = plan.rows / plan.read / HOUR
    lines = [
        "| input | value |",
        "|---|---:|",
        *(f"| `{field.name}` | {getattr(plan, field.name):g} |" for field in fields(plan)),
        "",
        "| work | operations | GPU-hours | of the fine-tune | cost | on 64 GPUs | on 512 GPUs |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *work,
        "",
        "| bytes | |",
        "|---|---:|",
        *held,
        "",
        f"One process parses and hashes a state of the data in {reading:.1f} h at `read` rows a second.",
    ]
    return "\n".join(lines)


def _work(plan: Plan, name: str, amount: float, truth: float) -> str:
    hours = gpu_hours(plan, name, amount)
    times = [_time(hours / gpus) for gpus in (64, 512)]
    if name.startswith(ONE_WORKER):
        times = [f"{_time(hours / plan.spread)} on one worker"] * 2
    cost = f"{hours * plan.price:,.0f}" if hours * plan.price >= 10 else f"{hours * plan.price:.2f}"
    count = f"{hours:,.0f}" if hours >= 10 else f"{hours:.2f}"
    return f"| {name} | {amount:.1e} | {count} | {_share(hours / truth)} | {cost} | {' | '.join(times)} |"


def _share(share: float) -> str:
    return f"{share:.1%}" if share >= 1e-3 else f"{share:.0e}"


def _time(hours: float) -> str:
    if hours >= 48:
        return f"{hours / 24:.1f} days"
    return f"{hours:.1f} h" if hours >= 1 else f"{hours * HOUR:.0f} s"


def _bytes(amount: float) -> str:
    for unit, size in (("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if amount >= size:
            return f"{amount / size:.1f} {unit}"
    return f"{amount:.0f} B"


def main() -> None:
    """Print the table of the plan with whatever inputs are given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for field in fields(Plan):
        parser.add_argument(f"--{field.name}", type=float, default=getattr(Plan(), field.name))
    parser.add_argument("--write", action="store_true", help="put the table of the given inputs into the guide")
    given = vars(parser.parse_args())
    write = given.pop("write")
    made = table(replace(Plan(), **{**given, "blocks": int(given["blocks"]), "width": int(given["width"])}))
    print(made)
    if write:
        before, _, rest = GUIDE.read_text(encoding="utf-8").partition(BEGIN)
        GUIDE.write_text(f"{before}{BEGIN}\n{made}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
