"""Bodies of jobs as pydantic models: a verb and its arguments, one model for each form."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict

from d2b_gate.server.messages import (
    MOST_KEYS,
    MOST_PROMPTS,
    MOST_TOKENS,
    Count,
    First,
    Flag,
    Index,
    Key,
    Keys,
    Message,
    ModelSaid,
    Number,
    Positive,
    Seed,
    Text,
    Word,
)

MOST_OF_STEP = 1_024
"""Rows of one step of a training: between two steps a job can be stopped, and within one it cannot."""
MOST_CONTINUATIONS = 10_000
MOST_SITES = 10_000

RowsOfStep = Annotated[list[Index], Field(max_length=MOST_OF_STEP), First]
Weights = Annotated[list[Number], Field(max_length=MOST_CONTINUATIONS), First]


class ArraySaid(Message):
    """A float32 array, little-endian, in base64."""

    shape: Annotated[list[Index], Field(min_length=1, max_length=3), First]
    float32: Annotated[str, Strict()]


class PromptSaid(Message):
    """One question and its continuations."""

    key: Word
    system: Annotated[str, Strict(), Field(pattern="^(default|empty)$")]
    text: Text
    lead: Text
    continuations: Annotated[list[Text], Field(max_length=MOST_CONTINUATIONS), First]
    held_back: Flag


Prompts = Annotated[list[PromptSaid], Field(max_length=MOST_PROMPTS), First]


class VectorsSaid(Message):
    """Vectors to inject."""

    sites: Annotated[list[Index], Field(max_length=1_000), First]
    vectors: ArraySaid
    scale: Number


class PartSaid(Message):
    """A part of a mixture of adapters: the job that trained one, and its weight."""

    job: Key
    weight: Number


class KeptSaid(Message):
    """Adapters that this server trained for this token."""

    kept: Annotated[list[PartSaid], Field(min_length=1, max_length=64), First]


InjectionSaid = VectorsSaid | KeptSaid


class RowsArguments(Message):
    """Rows by their keys."""

    rows: Keys


class StatesArguments(Message):
    """Rows, how a row's states become one, and the blocks that are wanted: all, where none is named."""

    rows: Keys
    pooling: Literal["last", "response"]
    sites: Annotated[list[Index], Field(max_length=MOST_SITES), First] = Field(default_factory=list)


class StepSaid(Message):
    """One step of a tuning: indices of rows, and their weights."""

    rows: RowsOfStep
    weights: Annotated[list[Number], Field(max_length=MOST_OF_STEP), First]


class TuneArguments(Message):
    """A tuning of vectors."""

    rows: Keys
    steps: Annotated[list[StepSaid], Field(max_length=1_000_000), First]
    learning_rate: Number
    beta1: Number
    beta2: Number
    epsilon: Number


class RegimeSaid(Message):
    """A recipe of training."""

    kind: Word
    rank: Annotated[int, Strict(), Field(ge=1, le=4_096)]
    alpha: Positive
    optimizer: Word
    learning_rate: Positive
    epochs: Positive
    batch_size: Count


class FinetuneArguments(Message):
    """A training of an adapter."""

    rows: Keys
    steps: Annotated[list[RowsOfStep], Field(max_length=1_000_000), First]
    regime: RegimeSaid
    seed: Seed


class PromptArguments(Message):
    """Prompts, and what is injected meanwhile."""

    prompts: Prompts
    injection: InjectionSaid


class SensitivitiesArguments(Message):
    """Prompts, and the weight of each of their continuations."""

    prompts: Prompts
    coefficients: Annotated[list[Weights], Field(max_length=MOST_PROMPTS), First]


class DrawingSaid(Message):
    """How an answer is drawn: by a seed, or, where there is none, always the likeliest token."""

    seed: Seed = 0


class CompleteArguments(Message):
    """Prompts to answer."""

    prompts: Prompts
    injection: InjectionSaid
    drawings: Annotated[list[DrawingSaid], Field(max_length=MOST_PROMPTS), First]
    max_tokens: Annotated[int, Strict(), Field(ge=1, le=MOST_TOKENS)]


class TokensArguments(Message):
    """Tokens of the vocabulary."""

    tokens: Annotated[list[Index], Field(max_length=MOST_KEYS), First]


class Asking(Message):
    """What every job says."""

    model: ModelSaid


class RowsJob(Asking):
    """Token counts, or gradients, of rows."""

    verb: Literal["lengths", "gradients"]
    arguments: RowsArguments


class StatesJob(Asking):
    """Hidden states of rows."""

    verb: Literal["states"]
    arguments: StatesArguments


class TuneJob(Asking):
    """Vectors tuned on rows."""

    verb: Literal["tune"]
    arguments: TuneArguments


class FinetuneJob(Asking):
    """An adapter trained on rows, and kept."""

    verb: Literal["finetune"]
    arguments: FinetuneArguments


class PromptsJob(Asking):
    """Readings of continuations, or of the whole vocabulary."""

    verb: Literal["read", "vocabulary"]
    arguments: PromptArguments


class SensitivitiesJob(Asking):
    """Gradients of prompts."""

    verb: Literal["sensitivities"]
    arguments: SensitivitiesArguments


class CompleteJob(Asking):
    """Answers."""

    verb: Literal["complete"]
    arguments: CompleteArguments


class TokensJob(Asking):
    """Texts of tokens."""

    verb: Literal["token_texts"]
    arguments: TokensArguments


JobAsked = Annotated[
    RowsJob | StatesJob | TuneJob | FinetuneJob | PromptsJob | SensitivitiesJob | CompleteJob | TokensJob,
    Field(discriminator="verb"),
]
