"""Bodies and answers as pydantic models: what the server's OpenAPI description is made of. Nothing is coerced."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, FailFast, Field, Strict

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
First = FailFast()
"""On every list that a client sends: what is wrong with its first bad element is enough to know, and cheap."""
Keys = Annotated[list[Key], Field(max_length=MOST_KEYS), First]


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

    turns: Annotated[list[tuple[Word, Annotated[str, Strict()], Flag]], Field(max_length=100_000), First]
    tools: Annotated[str, Strict()]


class RowsSent(Message):
    """Rows to keep."""

    rows: Annotated[list[RowSaid], Field(max_length=MOST_KEYS), First]


class RowsKept(Message):
    """The keys of the rows that were sent, in order."""

    keys: list[str]


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
