"""From what a job's body says to what the backend port takes; and what a body says that cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.drawing import Greedy, Seeded
from d2b_gate.core.errors import UnavailableError
from d2b_gate.core.features import Injection, Site
from d2b_gate.core.finetune import FinetunePlan
from d2b_gate.core.plan import TunePlan, TuneStep
from d2b_gate.core.reading import Prompt
from d2b_gate.core.remote import heard_array
from d2b_gate.core.rules import ModelSpec, Regime
from d2b_gate.server.job_messages import (
    CompleteJob,
    FinetuneJob,
    KeptSaid,
    PromptsJob,
    RowsJob,
    SensitivitiesJob,
    StatesJob,
    TuneJob,
    VectorsSaid,
)
from d2b_gate.server.refusal import RefusalError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.drawing import Drawing
    from d2b_gate.core.ports import ModelCard
    from d2b_gate.core.rows import Row
    from d2b_gate.server.job_messages import DrawingSaid, FinetuneArguments, JobAsked, PromptSaid, TuneArguments
    from d2b_gate.server.messages import ModelSaid

MOST_OF_VOCABULARY = 1_024
"""Prompts of a mean over the vocabulary, which is computed in one go."""


def spec_of(said: ModelSaid) -> ModelSpec:
    """The model as a policy names it."""
    return ModelSpec(said.id, said.revision, said.dtype, max_length=said.max_length, sha256=said.sha256)


def steps_of(job: JobAsked) -> int:
    """Steps that a job will count: of a plan, else one for each row or prompt, else one."""
    if isinstance(job, TuneJob | FinetuneJob):
        return len(job.arguments.steps)
    if isinstance(job, RowsJob | StatesJob):
        return len(job.arguments.rows)
    if isinstance(job, SensitivitiesJob | CompleteJob) or (isinstance(job, PromptsJob) and job.verb == "read"):
        return len(job.arguments.prompts)
    return 1


def rows_of(job: JobAsked) -> list[str]:
    """Keys of the rows that a job names itself."""
    return job.arguments.rows if isinstance(job, RowsJob | StatesJob | TuneJob | FinetuneJob) else []


def kept_of(job: JobAsked) -> list[str]:
    """Names of the jobs whose adapters a job names."""
    if isinstance(job, PromptsJob | CompleteJob) and isinstance(job.arguments.injection, KeptSaid):
        return [part.job for part in job.arguments.injection.kept]
    return []


def refuse_nonsense(job: JobAsked, card: ModelCard) -> None:
    """See that the parts of a job fit each other and the model.

    Raises:
        RefusalError: they do not.
    """
    if isinstance(job, TuneJob):
        _refuse_beyond([index for step in job.arguments.steps for index in step.rows], len(job.arguments.rows))
        if any(len(step.rows) != len(step.weights) for step in job.arguments.steps):
            raise nonsense("a step has not as many weights as rows", "arguments.steps")
    if isinstance(job, FinetuneJob):
        _refuse_beyond([index for step in job.arguments.steps for index in step], len(job.arguments.rows))
    if isinstance(job, SensitivitiesJob):
        counts = [len(prompt.continuations) for prompt in job.arguments.prompts]
        if [len(weights) for weights in job.arguments.coefficients] != counts:
            raise nonsense("coefficients and continuations differ in number", "arguments.coefficients")
    if isinstance(job, CompleteJob) and len(job.arguments.drawings) != len(job.arguments.prompts):
        raise nonsense("drawings and prompts differ in number", "arguments.drawings")
    if isinstance(job, PromptsJob) and job.verb == "vocabulary" and not job.arguments.prompts:
        raise nonsense("a mean over no prompts", "arguments.prompts")
    if isinstance(job, PromptsJob) and job.verb == "vocabulary" and len(job.arguments.prompts) > MOST_OF_VOCABULARY:
        raise RefusalError(
            *(413, "usage", f"a mean over more than {MOST_OF_VOCABULARY} prompts"),
            reason="too-many-prompts",
            where="arguments.prompts",
            remedy="ask for less at once",
        )
    if isinstance(job, PromptsJob | CompleteJob) and isinstance(job.arguments.injection, VectorsSaid):
        _refuse_misfit(job.arguments.injection, card)


def refuse_large(job: JobAsked, card: ModelCard, most: int) -> None:
    """See that the arrays of a job's result take at most so many bytes; other results are as large as what is asked.

    Raises:
        RefusalError: they take more.
    """
    if isinstance(job, RowsJob | StatesJob):
        count = 0 if job.verb == "lengths" else len(job.arguments.rows)
    else:
        count = len(job.arguments.prompts) if isinstance(job, SensitivitiesJob) else 0
    size = count * card.blocks * card.width * 4 * 4 // 3  # float32 in base64
    if size > most:
        raise RefusalError(
            *(413, "usage", f"the result would have {size} bytes, more than {most}"),
            reason="result-too-large",
            where="arguments",
            remedy="ask for less at once",
        )


def _refuse_beyond(indices: Sequence[int], count: int) -> None:
    if max(indices, default=-1) >= count:
        raise nonsense("a step names a row that the job does not have", "arguments.steps")


def _refuse_misfit(said: VectorsSaid, card: ModelCard) -> None:
    where = "arguments.injection"
    if len(set(said.sites)) < len(said.sites) or max(said.sites, default=-1) >= card.blocks:
        raise nonsense(f"sites are not different blocks below {card.blocks}", where)
    try:
        vectors_of(said, card)
    except UnavailableError:
        raise nonsense(f"vectors are no finite array of shape {[len(said.sites), card.width]}", where) from None


def nonsense(what: str, where: str) -> RefusalError:
    """The answer to a body whose parts do not fit."""
    return RefusalError(
        422, "usage", what, where=where, reason="malformed", remedy="compare the versions of both sides"
    )


def prompts_of(said: Sequence[PromptSaid]) -> tuple[Prompt, ...]:
    """Prompts."""
    return tuple(
        Prompt(one.key, one.system, one.text, one.lead, tuple(one.continuations), one.held_back) for one in said
    )


def vectors_of(said: VectorsSaid, card: ModelCard) -> Injection:
    """Vectors to inject."""
    array = {"shape": said.vectors.shape, "float32": said.vectors.float32}
    vectors_ld = heard_array(array, (len(said.sites), card.width))
    return Injection(tuple(Site(block) for block in said.sites), vectors_ld, said.scale)


def drawings_of(said: Sequence[DrawingSaid]) -> tuple[Drawing, ...]:
    """How each answer is drawn."""
    return tuple(Seeded(one.seed) if "seed" in one.model_fields_set else Greedy() for one in said)


def tuning_of(said: TuneArguments, rows: Sequence[Row]) -> TunePlan:
    """A tuning over these rows."""
    steps = tuple(TuneStep(tuple(step.rows), tuple(step.weights)) for step in said.steps)
    return TunePlan(tuple(rows), steps, said.learning_rate, said.beta1, said.beta2, said.epsilon)


def training_of(said: FinetuneArguments, rows: Sequence[Row]) -> FinetunePlan:
    """A training on these rows."""
    regime = Regime(**said.regime.model_dump())
    return FinetunePlan(tuple(rows), tuple(tuple(step) for step in said.steps), regime, said.seed)
