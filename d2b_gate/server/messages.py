"""Bodies and answers as pydantic models: what the server's OpenAPI description is made of. Nothing is coerced."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict

from d2b_gate.server.refusal import Kind  # noqa: TC001 - pydantic reads it

KEY = r"^[0-9a-f]{64}$"
"""A sha256: of a row's content, or of a job's."""
MOST_KEYS = 200_000  # rows of a training; the limit on bodies comes first
MOST_PROMPTS = 10_000
MOST_TOKENS = 4_096  # of an answer
LONGEST_TEXT = 1_000_000

Key = Annotated[str, Strict(), Field(pattern=KEY)]
Text = Annotated[str, Strict(), Field(max_length=LONGEST_TEXT)]
Word = Annotated[str, Strict(), Field(max_length=500)]
Flag = Annotated[bool, Strict()]
Index = Annotated[int, Strict(), Field(ge=0, lt=2**31)]
Count = Annotated[int, Strict(), Field(ge=1, lt=2**31)]
Seed = Annotated[int, Strict(), Field(ge=-(2**63), lt=2**63)]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False, ge=-1e30, le=1e30)]
Positive = Annotated[float, Strict(), Field(allow_inf_nan=False, gt=0, le=1e30)]
Keys = Annotated[list[Key], Field(max_length=MOST_KEYS)]


class Message(BaseModel):
    """What travels; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSaid(Message):
    """The model of a policy."""

    id: Word
    revision: Word
    dtype: Literal["float32", "bfloat16", "float16"]
    max_length: Count
    sha256: Word


class ModelAsked(Message):
    """Which model a client wants."""

    model: ModelSaid


class CardSaid(Message):
    """What identifies a model."""

    id: str
    revision: str
    tokenizer_hash: str
    dtype: str
    device: str
    blocks: int
    width: int
    max_length: int
    versions: list[tuple[str, str]]


class ModelAnswer(Message):
    """The model that is served, and the versions of both sides' features."""

    protocol: int
    gate_version: str
    feature_version: int
    card: CardSaid


class KeysAsked(Message):
    """Rows by their keys."""

    keys: Keys


class Missing(Message):
    """Keys of rows that this token has not sent."""

    missing: list[str]


class RowSaid(Message):
    """A row's content: each turn a role, its text, and whether it is trained."""

    turns: Annotated[list[tuple[Word, Annotated[str, Strict()], Flag]], Field(max_length=100_000)]
    tools: Annotated[str, Strict()]


class RowsSent(Message):
    """Rows to keep."""

    rows: Annotated[list[RowSaid], Field(max_length=MOST_KEYS)]


class RowsKept(Message):
    """The keys of the rows that were sent, in order."""

    keys: list[str]


class ArraySaid(Message):
    """A float32 array, little-endian, in base64."""

    shape: Annotated[list[Index], Field(min_length=1, max_length=3)]
    float32: Annotated[str, Strict()]


class PromptSaid(Message):
    """One question and its continuations."""

    key: Word
    system: Annotated[str, Strict(), Field(pattern="^(default|empty)$")]
    text: Text
    lead: Text
    continuations: Annotated[list[Text], Field(max_length=10_000)]
    held_back: Flag


Prompts = Annotated[list[PromptSaid], Field(max_length=MOST_PROMPTS)]


class VectorsSaid(Message):
    """Vectors to inject."""

    sites: Annotated[list[Index], Field(max_length=1_000)]
    vectors: ArraySaid
    scale: Number


class PartSaid(Message):
    """A part of a mixture of adapters: the job that trained one, and its weight."""

    job: Key
    weight: Number


class KeptSaid(Message):
    """Adapters that this server trained for this token."""

    kept: Annotated[list[PartSaid], Field(min_length=1, max_length=64)]


InjectionSaid = VectorsSaid | KeptSaid


class RowsArguments(Message):
    """Rows by their keys."""

    rows: Keys


class StatesArguments(Message):
    """Rows, and how a row's states become one."""

    rows: Keys
    pooling: Literal["last", "response"]


class StepSaid(Message):
    """One step of a tuning: indices of rows, and their weights."""

    rows: list[Index]
    weights: list[Number]


class TuneArguments(Message):
    """A tuning of vectors."""

    rows: Keys
    steps: Annotated[list[StepSaid], Field(max_length=1_000_000)]
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
    steps: Annotated[list[list[Index]], Field(max_length=1_000_000)]
    regime: RegimeSaid
    seed: Seed


class PromptArguments(Message):
    """Prompts, and what is injected meanwhile."""

    prompts: Prompts
    injection: InjectionSaid


class SensitivitiesArguments(Message):
    """Prompts, and the weight of each of their continuations."""

    prompts: Prompts
    coefficients: Annotated[list[list[Number]], Field(max_length=MOST_PROMPTS)]


class DrawingSaid(Message):
    """How an answer is drawn: by a seed, or, where there is none, always the likeliest token."""

    seed: Seed = 0


class CompleteArguments(Message):
    """Prompts to answer."""

    prompts: Prompts
    injection: InjectionSaid
    drawings: Annotated[list[DrawingSaid], Field(max_length=MOST_PROMPTS)]
    max_tokens: Annotated[int, Strict(), Field(ge=1, le=MOST_TOKENS)]


class TokensArguments(Message):
    """Tokens of the vocabulary."""

    tokens: Annotated[list[Index], Field(max_length=MOST_KEYS)]


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


class ErrorSaid(Message):
    """What is wrong, where, and what to do."""

    kind: Kind
    what: str
    where: str
    remedy: str


class ErrorAnswer(Message):
    """Every answer that is none; ``missing`` names rows that must be sent first."""

    error: ErrorSaid
    missing: list[str] = Field(default_factory=list)


class JobAnswer(Message):
    """A job and how far it is."""

    job: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    done: int
    total: int
    ahead: int
    error: ErrorSaid | None = None


class Health(Message):
    """The process lives, or can work."""

    status: str
