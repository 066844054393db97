"""Features of rows by the gate, by loops that others write, and by peers: same rows, last token, every block.

Whoever is timed turns texts into states; tokenising is in every time but that of the loop that gets the gate's own
batches handed. All must agree with the gate, or the comparison is worth nothing.
"""

from __future__ import annotations

import statistics
import time
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmarks.costing.flops import share_of_rate
from benchmarks.costing.models import block_parameters
from benchmarks.costing.peers import PEERS
from benchmarks.costing.roofline import matrix_rate, settle
from d2b_gate.backends.hf.batches import row_batch
from d2b_gate.backends.hf.encode import encode_rows, render
from d2b_gate.backends.hf.extract import row_states
from d2b_gate.backends.hf.memory import CPU_TOKENS, GPU_TOKENS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from transformers import PreTrainedModel

    from d2b_gate.backends.hf.engine import Engine
    from d2b_gate.core.rows import Row

    Extractor = Callable[[], NDArray[np.float32]]

BATCH = 8
"""Rows per batch in the loop as people write it."""
SMALLER = "a quarter of the batches' size"
"""A whole call of the model keeps every block's states, and suits caches better in smaller batches."""
AS_GATE = "as written, the gate's dtype"
"""The same loop over the gate's own model, for who loads it in that dtype."""
AGREES = 0.99
"""Least mean cosine between states of the same row and block; bfloat16 alone costs less than 0.001."""


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds per round, and how the states agree with the gate's."""

    seconds: tuple[float, ...]
    cosine: float

    @property
    def middle(self) -> float:
        """Median of the rounds."""
        return statistics.median(self.seconds)


def compare(engine: Engine, rows: Sequence[Row], written: Callable[[], PreTrainedModel], rounds: int) -> dict[str, Any]:
    """Time everyone in turn, round after round, and say how much faster the gate is.

    ``written`` loads the model as people load it, for the loop as people write it.
    """
    lengths = [len(row.ids) for row in encode_rows(engine.tokenizer, rows, engine.card.max_length)]
    model = written()
    contenders: dict[str, Extractor] = {
        "gate": lambda: row_states(engine, rows, "last").values_nld,
        "same batches": lambda: in_batches(engine, rows, sorted_batches(lengths, _budget(engine))),
        SMALLER: lambda: in_batches(engine, rows, sorted_batches(lengths, _budget(engine) // 4)),
        "as written": lambda: as_written(engine, model, rows),
        AS_GATE: lambda: as_written(engine, engine.model, rows),
    }
    absent: dict[str, str] = {}
    texts = [render(engine.tokenizer, row).text for row in rows]
    for name, open_peer in PEERS.items():
        with _told(absent, name):
            contenders[name] = open_peer(engine, texts)
    for warmed in {id(one): one for one in (engine.model, model)}.values():
        as_written(engine, warmed, rows[:BATCH])
    timed, failed = _time(contenders, engine, rounds)
    absent |= failed
    tokens, parameters = sum(lengths), block_parameters(engine)
    rate = matrix_rate(engine)
    gate = timed["gate"].middle
    return {
        "rows": len(rows),
        "tokens": tokens,
        "written_dtype": str(model.dtype).removeprefix("torch."),
        "seconds": {name: one.middle for name, one in timed.items()},
        "cosine": {name: one.cosine for name, one in timed.items()},
        "peers_not_measured": absent,
        "tokens_per_second": tokens / gate,
        "block_parameters": parameters,
        "matrix_rate": rate,
        "share_of_rate": share_of_rate(parameters, tokens, gate, rate),
        **_faster(timed, "faster_same", "same batches"),
        **_faster(timed, "faster_smaller", SMALLER),
        **_faster(timed, "faster_written", "as written"),
        **_faster(timed, "faster_written_in_its_dtype", AS_GATE),
        **{f"faster_{name}": timed[name].middle / gate for name in PEERS if name in timed},
    }


def _faster(timed: Mapping[str, Timed], key: str, name: str) -> dict[str, float]:
    """How many times faster the gate is; nothing where the states are not the same."""
    return {key: timed[name].middle / timed["gate"].middle} if timed[name].cosine >= AGREES else {}


def _time(contenders: Mapping[str, Extractor], engine: Engine, rounds: int) -> tuple[dict[str, Timed], dict[str, str]]:
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    states: dict[str, NDArray[np.float32]] = {}
    failed: dict[str, str] = {}
    for _ in range(rounds):
        for name, extract in contenders.items():
            if name in failed:
                continue
            settle(engine)
            began = time.perf_counter()
            with _told(failed, name) if name in PEERS else nullcontext():
                states[name] = extract()
                settle(engine)
                seconds[name].append(time.perf_counter() - began)
    done = [name for name in contenders if name not in failed]
    return {name: Timed(tuple(seconds[name]), agreement(states[name], states["gate"])) for name in done}, failed


@contextmanager
def _told(why: dict[str, str], name: str) -> Iterator[None]:
    """A peer that is absent, or does not fit the installed libraries, is told and not hidden."""
    try:
        yield
    except Exception as error:  # whatever somebody else's library raises
        why[name] = f"not measured ({type(error).__name__}: {(str(error).splitlines() or [''])[0]})"


def agreement(states_nld: NDArray[np.float32], reference_nld: NDArray[np.float32]) -> float:
    """Least mean cosine over blocks, the last block left out: there others hand out what the final norm made of it."""
    shared = min(states_nld.shape[1], reference_nld.shape[1] - 1)
    one, other = states_nld[:, :shared].astype(np.float64), reference_nld[:, :shared].astype(np.float64)
    norms = np.linalg.norm(one, axis=2) * np.linalg.norm(other, axis=2)
    cosine_nl = (one * other).sum(axis=2) / np.maximum(norms, 1e-12)
    return float(cosine_nl.mean(axis=0).min())


def sorted_batches(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Longest first, as many rows as padded fit into a budget of tokens: the batches that suit a plain loop best."""
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    batches: list[list[int]] = []
    for index in order:
        if batches and lengths[batches[-1][0]] * (len(batches[-1]) + 1) <= budget:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


def _budget(engine: Engine) -> int:
    return CPU_TOKENS if engine.device.type == "cpu" else GPU_TOKENS


def in_batches(engine: Engine, rows: Sequence[Row], batches: Sequence[Sequence[int]]) -> NDArray[np.float32]:
    """The same batches and dtype: a whole call of the model with ``output_hidden_states``."""
    encoded = encode_rows(engine.tokenizer, rows, engine.card.max_length)
    out_nld = np.zeros((len(rows), engine.card.blocks, engine.card.width), dtype=np.float32)
    with torch.no_grad():
        for group in batches:
            members = [encoded[i] for i in group]
            batch = row_batch(members, engine.pad, engine.device)
            output = engine.model(input_ids=batch.ids_bt, attention_mask=batch.mask, output_hidden_states=True)
            last = torch.tensor([len(row.ids) - 1 for row in members], device=engine.device)
            out_nld[list(group)] = _last(output.hidden_states, last)
    return out_nld


def as_written(engine: Engine, model: PreTrainedModel, rows: Sequence[Row]) -> NDArray[np.float32]:
    """As people write it: eight rows at a time in the file's order, padded to the longest of them."""
    found: list[NDArray[np.float32]] = []
    texts = [render(engine.tokenizer, row).text for row in rows]
    with torch.no_grad():
        for start in range(0, len(texts), BATCH):
            batch = engine.tokenizer(
                texts[start : start + BATCH],
                padding=True,
                padding_side="right",
                add_special_tokens=False,
                truncation=True,
                max_length=engine.card.max_length,
                return_tensors="pt",
            ).to(engine.device)
            output = model(**batch, output_hidden_states=True)
            found.append(_last(output.hidden_states, batch["attention_mask"].sum(dim=1) - 1))
    return np.concatenate(found)


def _last(hidden: Sequence[torch.Tensor], last_b: torch.Tensor) -> NDArray[np.float32]:
    """States of the last token after every block. Shapes: (batch, blocks, width)."""
    rows_b = torch.arange(len(last_b), device=last_b.device)
    stacked: NDArray[np.float32] = torch.stack([one[rows_b, last_b] for one in hidden[1:]], dim=1).float().cpu().numpy()
    return stacked
