"""The shape of a policy file: pydantic at this edge, and the source of the JSON Schema that editors use.

Defaults come from the core types; a test holds the two to the same fields. Whether names exist and limits make sense
is not a matter of shape: see `checks`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from d2b_gate.core import rules as core

_MODEL = core.ModelSpec()
_METHOD = core.MethodSpec()
_REGIME = core.Regime()
_BACKEND = core.BackendSpec()

Word = Annotated[str, Field(min_length=1, max_length=200)]
Sentence = Annotated[str, Field(max_length=2000)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Positive = Annotated[float, Field(gt=0)]
Limit = Annotated[float, Field(ge=0)]
Outcome = Literal["pass", "warn", "fail"]


class Strict(BaseModel):
    """A table that accepts its own keys only, and no conversion of types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class ModelTable(Strict):
    """Which base model is asked."""

    id: Word = Field(default=_MODEL.id, description="Hub id, local directory (./, ../ or /), or builtin:<name>.")
    revision: str = Field(
        default=_MODEL.revision, description="Commit of a hub id, 40 hex digits; branch names are refused."
    )
    dtype: Literal["float32", "bfloat16"] = Field(default="float32", description="Number format of the forward pass.")
    device: Word = Field(default=_MODEL.device, description="auto, cpu, cuda, cuda:<n> or mps.")
    max_length: int = Field(
        default=_MODEL.max_length, ge=8, le=1_000_000, description="Tokens of a row; longer rows are cut."
    )
    sha256: str = Field(
        default=_MODEL.sha256, description="Hash of a local directory's weights; required inside the checkout."
    )


class RegimeTable(Strict):
    """The training that the policy gates for."""

    kind: Literal["lora", "full"] = Field(default="lora", description="Adapter or full fine-tuning.")
    rank: Count = Field(default=_REGIME.rank, description="Rank of the adapter.")
    alpha: Positive = Field(default=_REGIME.alpha, description="Scaling of the adapter.")
    optimizer: Word = Field(default=_REGIME.optimizer, description="Optimiser, for example adamw.")
    learning_rate: Positive = Field(default=_REGIME.learning_rate, description="Peak learning rate.")
    epochs: Positive = Field(default=_REGIME.epochs, description="Passes over the candidate training set.")
    batch_size: Count = Field(default=_REGIME.batch_size, description="Rows per optimiser step.")


class MethodTable(Strict):
    """How behaviour is predicted."""

    predictor: Word = Field(
        default=_METHOD.predictor, description="mdf (as published), mdf-gradient, mdf-tuned or proxy-lora."
    )
    regime: RegimeTable = Field(default_factory=RegimeTable, description="The training that the policy gates for.")
    reading: Literal["injected", "first-order"] = Field(
        default=_METHOD.reading, description="mdf-gradient: read under injection, or linearised."
    )
    alpha: Positive = Field(default=_METHOD.alpha, description="mdf, mdf-gradient: strength of the injection.")
    steps: Count = Field(default=_METHOD.steps, description="mdf-tuned, proxy-lora: optimiser steps.")
    first_look: int = Field(
        default=_METHOD.first_look,
        ge=0,
        description="mdf-tuned, proxy-lora: steps of a shorter prediction that decides alone where it leaves no rule "
        "open; needs a calibration of its own; 0: always the whole one.",
    )
    growth: float = Field(
        default=_METHOD.growth,
        ge=0,
        le=1,
        description="mdf-tuned, proxy-lora: power of the ratio of trained to tuned row visits by which shifts grow.",
    )
    adapter_rate: Positive = Field(
        default=_METHOD.adapter_rate, description="proxy-lora: learning rate, in units of the regime's."
    )
    step_size: Positive = Field(default=_METHOD.step_size, description="mdf-tuned: learning rate of the vectors.")
    batch: Count = Field(default=_METHOD.batch, description="mdf-tuned, proxy-lora: rows per step.")
    sample: Count = Field(default=_METHOD.sample, description="Unchanged rows in the seeded subsample.")
    max_changed: Count = Field(
        default=_METHOD.max_changed, description="Changed rows used per side; more are subsampled."
    )
    replicates: Count = Field(
        default=_METHOD.replicates, description="Independent subsample orders behind the interval."
    )
    placebos: int = Field(
        default=_METHOD.placebos, ge=3, le=7, description="Clean placebo changes behind the noise floor, 3 to 7."
    )
    seed: int = Field(default=_METHOD.seed, ge=0, le=2**32 - 1, description="Seed of every subsample and order.")
    confidence: float = Field(
        default=_METHOD.confidence, ge=0.5, lt=1, description="Confidence of the intervals, 0.5 to 1."
    )


class BackendTable(Strict):
    """What runs the model."""

    # "fake" is a deterministic toy for trying policies out: no model runs, and every report names it as the model.
    kind: Literal["local", "warm", "remote", "ray", "fake"] = Field(
        default="local", description="local, warm, remote, ray, or fake (a toy without a model, to try policies)."
    )
    url: str = Field(
        default=_BACKEND.url, description="Address of a remote or ray backend; tokens come from the environment."
    )


class BudgetTable(Strict):
    """How long measuring may go on."""

    seconds: Positive = Field(
        default=core.Budget().seconds, description="Then a rule without a verdict is inconclusive."
    )


class DatasetTable(Strict):
    """Which files hold training rows, and how to read them."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", description="Name that rules refer to.")
    include: list[Word] = Field(min_length=1, description="Globs of files, relative to the repository's root.")
    exclude: list[Word] = Field(default=[], description="Globs of files to leave out.")
    format: Word = Field(
        default="auto", description="auto, a container (jsonl), a shape (alpaca), or both (json+alpaca)."
    )
    columns: dict[str, Word] = Field(
        default={}, description="Role to column name, for row shapes that cannot be detected."
    )
    row_schema: str = Field(default="", description="JSON Schema in the repository that every row must satisfy.")
    weight: Positive = Field(default=1.0, description="Weight of each of the dataset's rows in the training set.")


class RuleTable(Strict):
    """One limit on one behaviour."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$", description="Name of the rule, in lower case.")
    probe: Word = Field(description="Id of a shipped probe (bias/animals), or path of a probe file.")
    target: str = Field(default="", description="The judged alternative of a choice probe; absent for a contrast.")
    direction: core.Direction = Field(default="increase", description="The direction of the shift that is limited.")
    warn_delta: Limit | None = Field(
        default=None, description="Shift that warns, in the probe's unit; fail_delta if absent."
    )
    fail_delta: Limit = Field(description="Shift that fails, in the probe's unit: a share (0.05 is 5 points) or nats.")
    budget_delta: Limit | None = Field(
        default=None, description="Limit on the whole shift since the baseline (d2b-gate baseline); absent: none."
    )
    max_level: float | None = Field(default=None, description="Ceiling for the level itself, whatever the shift.")
    datasets: list[Word] = Field(default=[], description="Datasets that the rule judges; empty means all.")
    owner: Sentence = Field(default="", description="Who answers for the rule, for example a team handle.")
    why: Sentence = Field(default="", description="Why the rule exists; shown with every finding.")
    locked: bool = Field(default=False, description="Whether policies that extend this one may not loosen the rule.")


class InconclusiveTable(Strict):
    """What an inconclusive rule means."""

    hook: Outcome = Field(default=core.Inconclusive().hook, description="In a local hook.")
    ci: Outcome = Field(default=core.Inconclusive().ci, description="In CI.")


class UnavailableTable(Strict):
    """What an unavailable backend means."""

    hook: Literal["fail", "defer"] = Field(default="fail", description="In a local hook: fail, or defer to CI.")


class PolicyTable(Strict):
    """A d2b-gate policy."""

    version: Literal[1] = Field(alias="schema", description="Version of this format.")
    extends: list[str] = Field(default=[], description="Packs (d2b:default) or .toml files that this policy builds on.")
    model: ModelTable = Field(default_factory=ModelTable, description="Which base model is asked.")
    method: MethodTable = Field(default_factory=MethodTable, description="How behaviour is predicted.")
    backend: BackendTable = Field(default_factory=BackendTable, description="What runs the model.")
    budget: BudgetTable = Field(default_factory=BudgetTable, description="How long measuring may go on.")
    on_inconclusive: InconclusiveTable = Field(
        default_factory=InconclusiveTable, description="What an inconclusive rule means."
    )
    on_unavailable: UnavailableTable = Field(
        default_factory=UnavailableTable, description="What an unavailable backend means."
    )
    dilution_guard: Literal["off", "warn", "fail"] = Field(
        default="warn", description="What it means that a part of a change is past a limit, weighted as 64 rows alone."
    )
    show_samples: Literal["none", "redacted", "full"] = Field(
        default="redacted", description="What reports show of the text of rows: nothing, how long it is, or the text."
    )
    require_calibration: bool = Field(
        default=False, description="Refuse to judge (exit 3) where no calibration matches model, method and probe."
    )
    dataset: list[DatasetTable] = Field(default=[], description="The candidate training set is the union of these.")
    rule: list[RuleTable] = Field(default=[], description="The limits.")
