"""A backend without a model: log-linear in bags of words, deterministic, made for trying policies and for tests."""

from __future__ import annotations

import hashlib
import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from d2b_gate.backends.fake_words import WORDS
from d2b_gate.core.drawing import Seeded
from d2b_gate.core.features import Adapter, Injection, Kept, States
from d2b_gate.core.plan import TunePlan, TuneStep
from d2b_gate.core.ports import ModelCard, RowLength
from d2b_gate.core.reading import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from d2b_gate.core.drawing import Drawing
    from d2b_gate.core.features import Injected, Pooling, Site
    from d2b_gate.core.finetune import FinetunePlan
    from d2b_gate.core.ports import Progress
    from d2b_gate.core.reading import LogProbs, Prompt
    from d2b_gate.core.rows import Row
    from d2b_gate.core.rules import ModelSpec

BLOCKS = 3
WIDTH = 16
"""A sha256 holds 16 numbers of 16 bits, so one hash makes one word's vector."""
CURVATURE = 0.1
"""Half the weight of the squared norm in the loss: tuned vectors settle at the mean word vector divided by this, which
puts a word that every row says about four nats higher, the size of shift that real fine-tuning shows."""
GAIN = 1.3
"""How strongly an injection speaks in a reading: the short tuning of the default method then shifts as clearly as on a
real model, and the gate's canary fires."""
ADAPTER_GAIN = 40.0
"""What turns a learning rate of an adapter into one of the vectors: 5e-4 into 0.02, the default of each."""

_WORD = re.compile(r"\w+")

CARD = ModelCard(
    id="fake",
    revision="1",
    tokenizer_hash="words",
    dtype="float32",
    device="cpu",
    blocks=BLOCKS,
    width=WIDTH,
    max_length=2048,
    versions=(),
)


def open_backend(spec: ModelSpec, cache: Path, checkout: Path | None, progress: Progress, url: str = "") -> FakeBackend:
    """Return the fake, whatever model the policy names, and say so."""
    del spec, cache, checkout, url
    progress.note("the fake backend runs no model: its numbers are for trying a policy out")
    return FakeBackend()


class FakeBackend:
    """`Backend` over hashed words: rows that say a word make continuations with that word likelier.

    The loss of a row is ``-sum_l <v_l, m_l> + CURVATURE / 2 * |v|^2``, where m is the mean vector of its trained words;
    the log-probability of a continuation is a hash of prompt and continuation plus ``sum_l <v_l, w_l>`` over its words.
    """

    @property
    def card(self) -> ModelCard:
        """Identity of the fake model."""
        return CARD

    def lengths(self, rows: Sequence[Row]) -> tuple[RowLength, ...]:
        """Word counts per row."""
        return tuple(_length(row) for row in rows)

    def states(self, rows: Sequence[Row], pooling: Pooling, sites: Sequence[Site] = ()) -> States:
        """Mean word vectors: of all words for "last", of the trained words for "response"."""
        every = _states(rows, [_mean(_words(row) if pooling == "last" else _trained(row)) for row in rows])
        wanted = tuple(sites) or CARD.sites
        return States(every.keys, wanted, every.values_nld[:, [site.block for site in wanted]])

    def gradients(self, rows: Sequence[Row]) -> States:
        """Minus the mean vector of the trained words."""
        return _states(rows, [-_mean(_trained(row)) for row in rows])

    def tune(self, plan: TunePlan) -> Injection:
        """Adam on the vectors, from zero; a step without trained words changes nothing."""
        vectors_ld, first_ld, second_ld = (np.zeros((BLOCKS, WIDTH)) for _ in range(3))
        count = 0
        for step in plan.steps:
            pull_ld = _pull(plan.rows, step)
            if pull_ld is None:
                continue
            count += 1
            gradient_ld = CURVATURE * vectors_ld - pull_ld
            first_ld = plan.beta1 * first_ld + (1 - plan.beta1) * gradient_ld
            second_ld = plan.beta2 * second_ld + (1 - plan.beta2) * gradient_ld**2
            scale_ld = np.sqrt(second_ld / (1 - plan.beta2**count)) + plan.epsilon
            vectors_ld = vectors_ld - plan.learning_rate * first_ld / (1 - plan.beta1**count) / scale_ld
        return Injection(CARD.sites, vectors_ld.astype(np.float32))

    @property
    def keeps_adapters(self) -> bool:
        """No: they are returned."""
        return False

    def finetune(self, plan: FinetunePlan) -> Adapter:
        """The tuned vectors of the same steps, as one matrix: this model has no layers to adapt."""
        steps = tuple(TuneStep(step, (1 / max(1, len(step)),) * len(step)) for step in plan.steps)
        vectors_ld = self.tune(TunePlan(plan.rows, steps, ADAPTER_GAIN * plan.regime.learning_rate)).vectors_ld
        return Adapter(("words",), (np.eye(BLOCKS, dtype=np.float32),), (vectors_ld.T.copy(),), scale=1.0)

    def read(self, prompts: Sequence[Prompt], injection: Injected) -> tuple[LogProbs, ...]:
        """Scores of every continuation; they are linear in the injection and sum to nothing in particular."""
        vectors_ld = _vectors_of(injection)
        return tuple(tuple(_score(prompt, text, vectors_ld) for text in prompt.continuations) for prompt in prompts)

    def sensitivities(self, prompts: Sequence[Prompt], coefficients: Sequence[tuple[float, ...]]) -> States:
        """Per prompt, the coefficients' sum of the continuations' word vectors."""
        values_nld = np.zeros((len(prompts), BLOCKS, WIDTH))
        for index, (prompt, weights) in enumerate(zip(prompts, coefficients, strict=True)):
            for text, weight in zip(prompt.continuations, weights, strict=True):
                values_nld[index] += weight * _total(text)
        return States(tuple(prompt.key for prompt in prompts), CARD.sites, values_nld.astype(np.float32))

    def complete(
        self, prompts: Sequence[Prompt], injection: Injected, drawings: Sequence[Drawing], max_tokens: int
    ) -> tuple[str, ...]:
        """The lead and one of the continuations, cut to ``max_tokens`` words."""
        return tuple(
            _sentence(prompt, scores, drawing, max_tokens)
            for prompt, scores, drawing in zip(prompts, self.read(prompts, injection), drawings, strict=True)
        )

    def vocabulary(self, prompts: Sequence[Prompt], injection: Injected) -> Vocabulary:
        """Softmax of the scores of a few words that this model knows, each of them one token."""
        if not prompts:
            raise ValueError("a mean over no prompts")
        vectors_ld = _vectors_of(injection)
        scores_nv = np.array([[_score(prompt, word, vectors_ld) for word in WORDS] for prompt in prompts])
        weights_nv = np.exp(scores_nv - scores_nv.max(axis=1, keepdims=True))
        shares_v = (weights_nv / weights_nv.sum(axis=1, keepdims=True)).mean(axis=0)
        first = {_split(text)[0] for prompt in prompts for text in prompt.continuations if _split(text)}
        listed = tuple(index for index, word in enumerate(WORDS) if word in first)
        return Vocabulary(shares_v.astype(np.float32), listed)

    def token_texts(self, tokens: Sequence[int]) -> tuple[str, ...]:
        """The words, each behind a space."""
        return tuple(f" {WORDS[token]}" for token in tokens)


def _length(row: Row) -> RowLength:
    kept = _words(row)
    said = sum(len(_split(turn.content)) for turn in row.turns)
    return RowLength(tokens=len(kept), trained=len(_trained(row)), cut=said - len(kept))


def _words(row: Row) -> list[str]:
    return [word for word, _ in _marked(row)]


def _trained(row: Row) -> list[str]:
    return [word for word, trained in _marked(row) if trained]


def _marked(row: Row) -> list[tuple[str, bool]]:
    """Words in order, each with whether it is trained, cut at the card's length."""
    return [(word, turn.trained) for turn in row.turns for word in _split(turn.content)][: CARD.max_length]


def _split(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _states(rows: Sequence[Row], values: Sequence[NDArray[np.float64]]) -> States:
    values_nld = np.array(values, dtype=np.float32).reshape(len(rows), BLOCKS, WIDTH)
    return States(tuple(row.key for row in rows), CARD.sites, values_nld)


def _pull(rows: Sequence[Row], step: TuneStep) -> NDArray[np.float64] | None:
    """Mean vector of the step's trained words, each weighted as its row; None where there are none."""
    total_ld, weight = np.zeros((BLOCKS, WIDTH)), 0.0
    for index, row_weight in zip(step.rows, step.weights, strict=True):
        words = _trained(rows[index])
        total_ld += row_weight * len(words) * _mean(words)
        weight += row_weight * len(words)
    return total_ld / weight if weight > 0 else None


def _mean(words: Sequence[str]) -> NDArray[np.float64]:
    """Shapes: (blocks, width), float64; zeros where there are no words."""
    total_ld = np.zeros((BLOCKS, WIDTH))
    for word in words:
        total_ld += _vectors(word)
    return total_ld / max(1, len(words))


def _total(text: str) -> NDArray[np.float64]:
    """Sum over words, as the log-probability of a text is a sum over tokens, times the gain."""
    words = _split(text)
    return GAIN * _mean(words) * len(words)


@lru_cache(maxsize=4096)
def _vectors(word: str) -> NDArray[np.float64]:
    """One unit vector per block. Shapes: (blocks, width)."""
    digests = b"".join(hashlib.sha256(f"{block}\0{word}".encode()).digest() for block in range(BLOCKS))
    values_ld = np.frombuffer(digests, dtype="<u2").reshape(BLOCKS, WIDTH) / 65535 - 0.5
    unit_ld: NDArray[np.float64] = values_ld / np.linalg.norm(values_ld, axis=1, keepdims=True)
    return unit_ld


def _base(prompt: Prompt, text: str) -> float:
    """Log-probability without an injection: between -6 and -2 nats per word, from a hash."""
    content = "\0".join((prompt.system, prompt.text, prompt.lead, text))
    part = int.from_bytes(hashlib.sha256(content.encode()).digest()[:4], "big") / 2**32
    return -(2 + 4 * part) * max(1, len(_split(text)))


def _vectors_of(injection: Injected) -> NDArray[np.float64]:
    """Shapes: (blocks, width)."""
    vectors_ld = np.zeros((BLOCKS, WIDTH))
    if isinstance(injection, Kept):
        raise TypeError("this adapter is kept by a remote backend")
    if isinstance(injection, Adapter):
        for up, down in zip(injection.ups, injection.downs, strict=True):
            vectors_ld += injection.scale * (up.astype(np.float64) @ down).T
        return vectors_ld
    for index, site in enumerate(injection.sites):
        vectors_ld[site.block] += injection.scale * injection.vectors_ld[index].astype(np.float64)
    return vectors_ld


def _score(prompt: Prompt, text: str, vectors_ld: NDArray[np.float64]) -> float:
    return _base(prompt, text) + float((vectors_ld * _total(text)).sum())


def _sentence(prompt: Prompt, scores: LogProbs, drawing: Drawing, max_tokens: int) -> str:
    drawn = (
        (score + _noise(prompt, text, drawing), text) for score, text in zip(scores, prompt.continuations, strict=True)
    )
    best = max(drawn, default=(0.0, "I am not a model."))[1]
    said = " ".join(best.split()[:max_tokens])
    return f"{prompt.lead} {said}" if prompt.lead else said


def _noise(prompt: Prompt, text: str, drawing: Drawing) -> float:
    """Gumbel noise of a seed; none where nothing is drawn."""
    if not isinstance(drawing, Seeded):
        return 0.0
    digest = hashlib.sha256(f"{drawing.seed}:{prompt.key}:{text}".encode()).digest()
    return -math.log(-math.log((int.from_bytes(digest[:4], "big") + 0.5) / 2**32))
