"""What the pipeline needs from the outside, as small protocols. No tensor of any framework crosses them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from d2b_gate.core.drawing import Drawing
    from d2b_gate.core.features import Adapter, Injected, Injection, Kept, Pooling, Site, States
    from d2b_gate.core.finetune import FinetunePlan
    from d2b_gate.core.mixture import Mixture
    from d2b_gate.core.plan import TunePlan
    from d2b_gate.core.reading import LogProbs, Probe, Prompt, Vocabulary
    from d2b_gate.core.rows import Row
    from d2b_gate.core.rules import MethodSpec


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What identifies a model for a fingerprint; known without loading weights or importing torch."""

    id: str
    revision: str  # hub revision, or sha256 of the weights
    tokenizer_hash: str  # tokenizer and chat template
    dtype: str
    device: str  # device class: cpu, cuda, mps
    blocks: int
    width: int
    max_length: int
    versions: tuple[tuple[str, str], ...]  # (library, version), sorted

    @property
    def sites(self) -> tuple[Site, ...]:
        """Every block's output."""
        from d2b_gate.core.features import Site

        return tuple(Site(block) for block in range(self.blocks))


@dataclass(frozen=True, slots=True)
class RowLength:
    """Token counts of a row as it would be trained. ``cut`` tokens did not fit the model's or policy's length."""

    tokens: int
    trained: int
    cut: int


class Backend(Protocol):
    """What runs the model. Implementations: fake, hf; each verb is cached by `gate`, so it must be deterministic."""

    @property
    def card(self) -> ModelCard:
        """Identity of the model; cheap, and without importing torch."""

    def lengths(self, rows: Sequence[Row]) -> tuple[RowLength, ...]:
        """Token counts per row, in order."""

    def states(self, rows: Sequence[Row], pooling: Pooling, sites: Sequence[Site] = ()) -> States:
        """Hidden states per row of the untouched model at these sites, in their order; at every one if none is named.

        What lies deeper than the deepest is not computed.
        """

    def gradients(self, rows: Sequence[Row]) -> States:
        """Per row, the gradient of its mean SFT loss with respect to an additive vector after each block, at zero.

        Units: nats per trained token, per unit of the vector.
        """

    def tune(self, plan: TunePlan) -> Injection:
        """Run the plan's Adam steps on the vectors alone, from zero, and return them at scale 1."""

    @property
    def keeps_adapters(self) -> bool:
        """Whether `finetune` only names what it trains, and trains when a reading first needs it."""

    def finetune(self, plan: FinetunePlan) -> Adapter | Kept:
        """Really train a low-rank adapter by the plan; the model itself stays as it was.

        Raises:
            EvaluationError: the training diverged, or the backend cannot train by this regime.
        """

    def read(self, prompts: Sequence[Prompt], injection: Injected) -> tuple[LogProbs, ...]:
        """Log-probabilities of every continuation of every prompt under the injection, in order."""

    def sensitivities(self, prompts: Sequence[Prompt], coefficients: Sequence[tuple[float, ...]]) -> States:
        """Per prompt, the gradient with respect to the vectors (at zero) of sum_j c_j log p(continuation j)."""

    def complete(
        self, prompts: Sequence[Prompt], injection: Injected, drawings: Sequence[Drawing], max_tokens: int
    ) -> tuple[str, ...]:
        """Answers of at most ``max_tokens`` tokens beyond the lead, lead included; ``drawings[i]`` draws answer i."""

    def vocabulary(self, prompts: Sequence[Prompt], injection: Injected) -> Vocabulary:
        """Where the prompts' continuations begin: the share of every token there is.

        Raises:
            ValueError: no prompts.
        """

    def token_texts(self, tokens: Sequence[int]) -> tuple[str, ...]:
        """What each token of the vocabulary says, a leading space included; empty for one that says nothing."""


class ProbeKind(Protocol):
    """How one kind of probe turns log-probabilities into values; a module of `probes` is one. Pure."""

    def prompts(self, table: Mapping[str, object], where: str) -> tuple[tuple[str, ...], tuple[Prompt, ...]]:
        """Names of the alternatives, and the prompts, of a parsed probe file; raises PolicyError with all problems."""

    def targets(self, probe: Probe) -> tuple[str, ...]:
        """The targets that a rule may name; an empty tuple where a rule must name none."""

    def values(self, probe: Probe, target: str, log_probs: Sequence[LogProbs]) -> tuple[float, ...]:
        """One value per prompt in the probe's unit; the level of the behaviour is their mean."""

    def coefficients(self, probe: Probe, target: str, log_probs: Sequence[LogProbs]) -> tuple[tuple[float, ...], ...]:
        """Per prompt, the derivative of its value with respect to each continuation's log-probability."""

    def shares(self, log_probs: LogProbs) -> tuple[float, ...]:
        """Share of each continuation among those of one prompt; shown to people, never judged."""


@dataclass(frozen=True, slots=True)
class Question:
    """What one rule asks: the prompts of its probe, and how their log-probabilities become values."""

    probe: Probe
    target: str
    kind: ProbeKind
    prompts: tuple[Prompt, ...]


@dataclass(frozen=True, slots=True)
class Replies:
    """One value per prompt of a question; log-probabilities where the predictor read any (first order reads none)."""

    values: tuple[float, ...]
    log_probs: tuple[LogProbs, ...]

    @property
    def level(self) -> float:
        """Mean value over prompts."""
        return math.fsum(self.values) / len(self.values)


class Predictor(Protocol):
    """How a training set is summarised and injected, and how probes are read; a module of `predictors` is one."""

    def inject(self, mixture: Mixture, method: MethodSpec, backend: Backend) -> Injected:
        """Summarise a non-empty mixture as vectors to inject; predicts nothing about an empty one."""

    def reach(self, mixture: Mixture, method: MethodSpec) -> float:
        """How often the declared training visits a changed row, per visit in what stands for it; at least 1."""

    def read(
        self, questions: Sequence[Question], injection: Injected, method: MethodSpec, backend: Backend
    ) -> tuple[Replies, ...]:
        """Read every question under the injection, in order."""


class Progress(Protocol):
    """Tells a watching person how far a slow stage is; silent when captured."""

    def stage(self, name: str, total: int) -> None:
        """Begin a stage of ``total`` steps (0: unknown)."""

    def advance(self, steps: int = 1) -> None:
        """Some steps of the current stage are done."""

    def note(self, text: str) -> None:
        """Say one line."""


class Clock(Protocol):
    """Seconds since some start."""

    def __call__(self) -> float:
        """Monotonic seconds."""


class Store(Protocol):
    """Content-addressed memory: what was computed once is not computed again. Atomic; safe for several processes."""

    def get_json(self, kind: str, key: str) -> object | None:
        """The value stored under (kind, key), or None."""

    def put_json(self, kind: str, key: str, value: object) -> None:
        """Store a JSON value."""

    def get_arrays(self, kind: str, key: str) -> dict[str, object] | None:
        """The named numpy arrays stored under (kind, key), or None."""

    def put_arrays(self, kind: str, key: str, arrays: dict[str, object]) -> None:
        """Store named numpy arrays (safetensors)."""

    def get_features(self, kind: str, keys: Sequence[str]) -> dict[str, bytes]:
        """What is stored of many rows at once, by key; rows of which nothing is stored are left out."""

    def put_features(self, kind: str, packed: Mapping[str, bytes]) -> None:
        """Store what was computed of many rows (see `core.packing`), by key."""
