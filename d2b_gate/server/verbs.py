"""Carries out a job: a verb of the port on the token's own rows, in portions that can be counted and stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.features import Adapter, Site
from d2b_gate.core.remote import said_array
from d2b_gate.gate.between import joined
from d2b_gate.server import hearing
from d2b_gate.server.job_messages import (
    CompleteJob,
    FinetuneJob,
    KeptSaid,
    PromptsJob,
    RowsJob,
    SensitivitiesJob,
    StatesJob,
    TuneJob,
)
from d2b_gate.server.results import write_table, write_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from d2b_gate.core.features import Injected, States
    from d2b_gate.core.finetune import FinetunePlan
    from d2b_gate.core.ports import Backend
    from d2b_gate.core.reading import Prompt
    from d2b_gate.core.rows import Row
    from d2b_gate.server.job_messages import InjectionSaid, JobAsked, StatesArguments, TokensJob
    from d2b_gate.server.watch import Watch

ROWS_AT_ONCE = 64
"""Rows, and prompts, between two looks at whether to go on. Our choice: some batches, a second or so on a CPU."""
READINGS_AT_ONCE = 4_096
"""Continuations of prompts between two looks."""
TOKENS_AT_ONCE = 16_384
"""Tokens of answers between two looks: fewer prompts at once where answers are long."""


@dataclass(frozen=True, slots=True)
class Desktop:
    """What one job works with: the token's backend, its rows, and the trainings that it names."""

    backend: Backend
    fetch: Callable[[Sequence[str]], dict[str, Row]]
    training: Callable[[str], FinetuneJob]
    watch: Watch


def perform(name: str, job: JobAsked, desktop: Desktop, file: IO[str]) -> None:
    """Run a job and write its result.

    Raises:
        StoppedError: it was stopped.
        GateError: it cannot be done.
    """
    if isinstance(job, RowsJob | StatesJob):
        _rows(job, desktop, file)
    elif isinstance(job, TuneJob):
        _tune(job, desktop, file)
    elif isinstance(job, FinetuneJob):
        desktop.backend.finetune(_training(job, desktop))
        write_table(file, {"kept": name})
    elif isinstance(job, SensitivitiesJob):
        _sensitivities(job, desktop, file)
    elif isinstance(job, PromptsJob | CompleteJob):
        _under_injection(job, desktop, file)
    else:
        _tokens(job, desktop, file)


def _rows(job: RowsJob | StatesJob, desktop: Desktop, file: IO[str]) -> None:
    keys = job.arguments.rows
    if job.verb == "lengths":
        lengths = [
            [one.tokens, one.trained, one.cut]
            for rows in _portions_of_rows(keys, desktop)
            for one in desktop.backend.lengths(rows)
        ]
        write_table(file, {"lengths": lengths})
        return
    compute = _features(job, desktop)
    parts = (compute(rows).values_nld for rows in _portions_of_rows(keys, desktop))
    blocks, width = _sizes(desktop)
    named = len(job.arguments.sites) if isinstance(job, StatesJob) else 0
    write_values(file, (len(keys), named or blocks, width), parts)


def _features(job: RowsJob | StatesJob, desktop: Desktop) -> Callable[[Sequence[Row]], States]:
    if isinstance(job, StatesJob):
        pooling, sites = job.arguments.pooling, _sites(job.arguments, desktop)
        return lambda rows: desktop.backend.states(rows, pooling, sites)
    return desktop.backend.gradients


def _sites(said: StatesArguments, desktop: Desktop) -> tuple[Site, ...]:
    """Sites by their blocks, which the model must have."""
    if any(block >= desktop.backend.card.blocks for block in said.sites):
        raise EvaluationError(f"the model has {desktop.backend.card.blocks} blocks, and a later one is asked for")
    return tuple(Site(block) for block in said.sites)


def _sizes(desktop: Desktop) -> tuple[int, int]:
    return desktop.backend.card.blocks, desktop.backend.card.width


def _portions_of_rows(keys: Sequence[str], desktop: Desktop) -> Iterator[list[Row]]:
    """Rows in portions; a portion counts as done when the next is asked for."""
    for start in range(0, len(keys), ROWS_AT_ONCE):
        desktop.watch.check()
        some = keys[start : start + ROWS_AT_ONCE]
        yield _found(some, desktop)
        desktop.watch.advance(len(some))


def _found(keys: Sequence[str], desktop: Desktop) -> list[Row]:
    rows = desktop.fetch(keys)
    if any(key not in rows for key in keys):
        raise EvaluationError("rows of this job are no longer kept", remedy="send them again")
    return [rows[key] for key in keys]


def _tune(job: TuneJob, desktop: Desktop, file: IO[str]) -> None:
    injection = desktop.backend.tune(hearing.tuning_of(job.arguments, _found(job.arguments.rows, desktop)))
    sites = [site.block for site in injection.sites]
    write_table(file, {"sites": sites, "vectors": said_array(injection.vectors_ld), "scale": injection.scale})


def _training(job: FinetuneJob, desktop: Desktop) -> FinetunePlan:
    return hearing.training_of(job.arguments, _found(job.arguments.rows, desktop))


def _sensitivities(job: SensitivitiesJob, desktop: Desktop, file: IO[str]) -> None:
    prompts = hearing.prompts_of(job.arguments.prompts)
    weights = [tuple(one) for one in job.arguments.coefficients]

    def parts() -> Iterator[NDArray[np.float32]]:
        for some in _portions(_readings(prompts), desktop):
            yield desktop.backend.sensitivities(prompts[some], weights[some]).values_nld

    write_values(file, (len(prompts), *_sizes(desktop)), parts())


def _under_injection(job: PromptsJob | CompleteJob, desktop: Desktop, file: IO[str]) -> None:
    prompts = hearing.prompts_of(job.arguments.prompts)
    injection = _injected(job.arguments.injection, desktop)
    if isinstance(job, CompleteJob):
        drawings, most = hearing.drawings_of(job.arguments.drawings), job.arguments.max_tokens
        answers = [
            answer
            for some in _portions([most / TOKENS_AT_ONCE] * len(prompts), desktop)
            for answer in desktop.backend.complete(prompts[some], injection, drawings[some], most)
        ]
        write_table(file, {"answers": answers})
    elif job.verb == "read":
        log_probs = [
            list(one)
            for some in _portions(_readings(prompts), desktop)
            for one in desktop.backend.read(prompts[some], injection)
        ]
        write_table(file, {"log_probs": log_probs})
    else:
        vocabulary = desktop.backend.vocabulary(prompts, injection)
        desktop.watch.advance()
        write_table(file, {"shares": said_array(vocabulary.shares_v), "listed": list(vocabulary.listed)})


def _readings(prompts: Sequence[Prompt]) -> list[float]:
    return [len(prompt.continuations) / READINGS_AT_ONCE for prompt in prompts]


def _portions(costs: Sequence[float], desktop: Desktop) -> Iterator[slice]:
    """Places of prompts in portions, by the part of a portion that each of them costs.

    A portion counts as done when the next is asked for.
    """
    start = 0
    while start < len(costs):
        desktop.watch.check()
        end = _end_of_portion(costs, start)
        yield slice(start, end)
        desktop.watch.advance(end - start)
        start = end


def _end_of_portion(costs: Sequence[float], start: int) -> int:
    """One prompt at least, however much it costs."""
    end, cost = start + 1, costs[start]
    while end < min(len(costs), start + ROWS_AT_ONCE) and cost + costs[end] <= 1:
        cost += costs[end]
        end += 1
    return end


def _injected(said: InjectionSaid, desktop: Desktop) -> Injected:
    """Vectors as they are said; adapters from where this token's trainings are remembered, else trained anew."""
    if not isinstance(said, KeptSaid):
        return hearing.vectors_of(said, desktop.backend.card)
    parts = [(_adapter(part.job, desktop), part.weight) for part in said.kept]
    return parts[0][0] if len(parts) == 1 and parts[0][1] == 1.0 else joined(parts)


def _adapter(name: str, desktop: Desktop) -> Adapter:
    adapter = desktop.backend.finetune(_training(desktop.training(name), desktop))
    if not isinstance(adapter, Adapter):
        raise EvaluationError("this backend keeps adapters elsewhere", remedy="serve a local backend")
    return adapter


def _tokens(job: TokensJob, desktop: Desktop, file: IO[str]) -> None:
    texts = desktop.backend.token_texts(job.arguments.tokens)
    desktop.watch.advance()
    write_table(file, {"texts": list(texts)})
