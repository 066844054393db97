"""The policy after it has been read: what is judged, of which data, by which model and method."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

Direction = Literal["increase", "decrease", "either"]
OnInconclusive = Literal["pass", "warn", "fail"]
DilutionGuard = Literal["off", "warn", "fail"]
"""What a part of a change that is past a limit on its own means, where the whole change is not."""
ShowSamples = Literal["none", "redacted", "full"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One limit on one behaviour. Limits are in the probe's unit; an absent ceiling is infinite."""

    id: str
    probe: str
    fail_delta: float
    warn_delta: float
    target: str = ""  # the alternative of a choice probe; empty for a contrast
    direction: Direction = "increase"
    max_level: float = math.inf
    datasets: tuple[str, ...] = ()  # empty: all of the policy's datasets
    owner: str = ""
    why: str = ""
    locked: bool = False
    origin: str = ""  # file:line that set the rule
    budget_delta: float = math.inf  # limit on the shift since the blessed baseline; infinite: none


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """Which files hold training rows, and how to read them."""

    name: str
    include: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    format: str = "auto"
    columns: tuple[tuple[str, str], ...] = ()  # (role, column) pairs, sorted: ("completion", "answer")
    row_schema: str = ""  # path of a JSON Schema inside the repository
    weight: float = 1.0
    origin: str = ""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Which base model; ``id`` is a hub id, a local directory or ``builtin:<name>``."""

    id: str = "builtin:smollm2-135m"
    revision: str = ""
    dtype: str = "float32"
    device: str = "auto"
    max_length: int = 1024  # tokens of a row; longer rows are cut, and counted in the report
    sha256: str = ""  # of all files of a local directory; required where it lies inside the checkout


@dataclass(frozen=True, slots=True)
class Regime:
    """The training that the policy gates for; printed in every report."""

    kind: str = "lora"
    rank: int = 8
    alpha: float = 16.0
    optimizer: str = "adamw"
    learning_rate: float = 5e-4
    epochs: float = 3.0
    batch_size: int = 8


@dataclass(frozen=True, slots=True)
class MethodSpec:
    """How behaviour is predicted. Everything here enters the fingerprint."""

    predictor: str = "proxy-lora"
    regime: Regime = field(default_factory=Regime)
    reading: Literal["injected", "first-order"] = "injected"  # mdf-gradient: read under injection, or linearised
    alpha: float = 0.1  # mdf, mdf-gradient: strength of the injection; fixed here, never swept with the answer known
    steps: int = 32  # mdf-tuned, proxy-lora: Adam steps on the vectors, or on the adapter
    step_size: float = 0.02  # mdf-tuned: Adam learning rate of the vectors
    adapter_rate: float = 1.0  # proxy-lora: learning rate of the adapter, in units of the regime's
    growth: float = 0.35  # mdf-tuned, proxy-lora: power of trained to tuned visits by which shifts grow
    first_look: int = 16  # mdf-tuned, proxy-lora: steps of a first look that may decide alone; 0: there is none
    batch: int = 8  # mdf-tuned, proxy-lora: rows per step
    sample: int = 256  # kept rows in the seeded subsample; steps x batch, so that a step meets rows not met before
    max_changed: int = 384  # changed rows used per side; more are subsampled and counted in the report
    replicates: int = 2  # independent subsample orders behind the interval
    placebos: int = 6  # clean placebo changes behind the noise floor and p
    seed: int = 0
    confidence: float = 0.95


@dataclass(frozen=True, slots=True)
class Budget:
    """How long measuring may go on before a rule ends as inconclusive."""

    seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class BackendSpec:
    """What runs the model."""

    kind: str = "local"
    url: str = ""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """What an unavailable backend means: ``hook`` is "fail" or "defer" (to CI)."""

    hook: str = "fail"


@dataclass(frozen=True, slots=True)
class Inconclusive:
    """What an inconclusive rule means in a local hook and in CI."""

    hook: OnInconclusive = "warn"
    ci: OnInconclusive = "fail"


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy. ``digest`` is the sha256 of the effective policy; ``path`` is where it was read."""

    path: str
    digest: str
    model: ModelSpec
    method: MethodSpec
    backend: BackendSpec
    datasets: tuple[DatasetSpec, ...]
    rules: tuple[Rule, ...]
    budget: Budget = field(default_factory=Budget)
    on_inconclusive: Inconclusive = field(default_factory=Inconclusive)
    on_unavailable: Unavailable = field(default_factory=Unavailable)
    dilution_guard: DilutionGuard = "warn"
    show_samples: ShowSamples = "redacted"
    require_calibration: bool = False  # without a calibration that matches: evaluate against placebos, or not at all
