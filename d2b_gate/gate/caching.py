"""A backend that remembers: what one verb computed for one input is computed once, across runs and after a crash."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from d2b_gate.core.features import Adapter, Injection, Kept, States
from d2b_gate.core.fingerprint import COMPUTED, fingerprint
from d2b_gate.core.packing import PACKING_VERSION
from d2b_gate.core.reading import Vocabulary
from d2b_gate.gate.remembering import Shelf, remembered_lengths, remembered_values

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from d2b_gate.core.drawing import Drawing
    from d2b_gate.core.features import Injected, Pooling, Site
    from d2b_gate.core.finetune import FinetunePlan
    from d2b_gate.core.plan import TunePlan
    from d2b_gate.core.ports import Backend, ModelCard, Progress, RowLength, Store
    from d2b_gate.core.reading import LogProbs, Prompt
    from d2b_gate.core.rows import Row


class CachingBackend:
    """Wraps a `Backend`; the inner one is reached on a miss only, so a known verdict needs no model and no torch."""

    def __init__(self, inner: Backend, store: Store, progress: Progress) -> None:
        self._inner = inner
        self._store = store
        self._progress = progress
        self._identity = fingerprint("card", (COMPUTED, inner.card))

    @property
    def card(self) -> ModelCard:
        """Identity of the model."""
        return self._inner.card

    def lengths(self, rows: Sequence[Row]) -> tuple[RowLength, ...]:
        """Token counts per row."""
        return remembered_lengths(self._features("lengths"), rows, self._inner.lengths)

    def states(self, rows: Sequence[Row], pooling: Pooling, sites: Sequence[Site] = ()) -> States:
        """Hidden states per row."""
        kind = "-".join([f"states-{pooling}", *(str(site.block) for site in sites)])
        wanted = tuple(sites) or self.card.sites
        return self._per_row(kind, rows, lambda missing: self._inner.states(missing, pooling, sites), wanted)

    def gradients(self, rows: Sequence[Row]) -> States:
        """Activation gradients per row."""
        return self._per_row("gradients", rows, self._inner.gradients, self.card.sites)

    def tune(self, plan: TunePlan) -> Injection:
        """Tuned vectors."""
        rows = [row.key for row in plan.rows]
        rest = (plan.steps, plan.learning_rate, plan.beta1, plan.beta2, plan.epsilon)
        key = self._key("tune", (rows, rest))
        known = self._store.get_arrays("tune", key)
        if known is not None:
            self._progress.advance(len(plan.steps))
            return Injection(self.card.sites, _float32(known["vectors"]))
        injection = self._inner.tune(plan)
        self._store.put_arrays("tune", key, {"vectors": injection.vectors_ld})
        return injection

    @property
    def keeps_adapters(self) -> bool:
        """As the inner one."""
        return self._inner.keeps_adapters

    def finetune(self, plan: FinetunePlan) -> Adapter | Kept:
        """A trained adapter, or the name of one, which costs nothing to have."""
        if self._inner.keeps_adapters:
            return self._inner.finetune(plan)
        key = self._key("finetune", ([row.key for row in plan.rows], plan.steps, plan.regime, plan.seed))
        shape, known = self._store.get_json("finetune", key), self._store.get_arrays("finetune", key)
        if isinstance(shape, dict) and known is not None:
            self._progress.advance(len(plan.steps))
            return _adapter_of(shape, known)
        adapter = self._inner.finetune(plan)
        if isinstance(adapter, Kept):
            raise TypeError("a backend that returns adapters named one")
        self._store.put_arrays("finetune", key, _arrays_of(adapter))
        self._store.put_json("finetune", key, {"names": list(adapter.names), "scale": adapter.scale})
        return adapter

    def read(self, prompts: Sequence[Prompt], injection: Injected) -> tuple[LogProbs, ...]:
        """Log-probabilities of the prompts' continuations."""
        key = self._key("read", (list(prompts), _digest(injection)))
        known = self._store.get_json("read", key)
        if isinstance(known, list):
            return tuple(tuple(float(value) for value in one) for one in known)
        log_probs = self._inner.read(prompts, injection)
        self._store.put_json("read", key, [list(one) for one in log_probs])
        return log_probs

    def sensitivities(self, prompts: Sequence[Prompt], coefficients: Sequence[tuple[float, ...]]) -> States:
        """Gradients of the prompts' scores."""
        key = self._key("sensitivities", (list(prompts), list(coefficients)))
        known = self._store.get_arrays("sensitivities", key)
        if known is not None:
            return States(tuple(prompt.key for prompt in prompts), self.card.sites, _float32(known["values"]))
        states = self._inner.sensitivities(prompts, coefficients)
        self._store.put_arrays("sensitivities", key, {"values": states.values_nld})
        return states

    def complete(
        self, prompts: Sequence[Prompt], injection: Injected, drawings: Sequence[Drawing], max_tokens: int
    ) -> tuple[str, ...]:
        """Answers as text."""
        drawn = [drawing.label for drawing in drawings]
        key = self._key("complete", (list(prompts), _digest(injection), drawn, max_tokens))
        known = self._store.get_json("complete", key)
        if isinstance(known, list):
            return tuple(str(answer) for answer in known)
        answers = self._inner.complete(prompts, injection, drawings, max_tokens)
        self._store.put_json("complete", key, list(answers))
        return answers

    def vocabulary(self, prompts: Sequence[Prompt], injection: Injected) -> Vocabulary:
        """Shares of all tokens; at rest four bytes a token, however many prompts there are."""
        key = self._key("vocabulary", (list(prompts), _digest(injection)))
        listed, known = self._store.get_json("vocabulary", key), self._store.get_arrays("vocabulary", key)
        if isinstance(listed, list) and known is not None:
            return Vocabulary(_float32(known["shares"]), tuple(int(token) for token in listed))
        vocabulary = self._inner.vocabulary(prompts, injection)
        self._store.put_arrays("vocabulary", key, {"shares": vocabulary.shares_v})
        self._store.put_json("vocabulary", key, list(vocabulary.listed))
        return vocabulary

    def token_texts(self, tokens: Sequence[int]) -> tuple[str, ...]:
        """Texts of tokens."""
        key = self._key("token", list(tokens))
        known = self._store.get_json("token", key)
        if isinstance(known, list):
            return tuple(str(text) for text in known)
        texts = self._inner.token_texts(tokens)
        self._store.put_json("token", key, list(texts))
        return texts

    def _per_row(
        self, kind: str, rows: Sequence[Row], compute: Callable[[Sequence[Row]], States], sites: tuple[Site, ...]
    ) -> States:
        sizes = (len(sites), self.card.width)
        values_nld = remembered_values(self._features(kind), rows, sizes, lambda some: compute(some).values_nld)
        return States(tuple(row.key for row in rows), sites, values_nld)

    def _features(self, kind: str) -> Shelf:
        return Shelf(self._store, f"{kind}-{fingerprint(kind, (self._identity, PACKING_VERSION))}")

    def _key(self, kind: str, parts: object) -> str:
        return fingerprint(kind, (self._identity, parts))


def _arrays_of(adapter: Adapter) -> dict[str, object]:
    pairs = enumerate(zip(adapter.downs, adapter.ups, strict=True))
    return {f"{side}.{i}": matrix for i, pair in pairs for side, matrix in zip(("down", "up"), pair, strict=True)}


def _adapter_of(shape: dict[str, object], arrays: dict[str, object]) -> Adapter:
    names, scale = shape["names"], shape["scale"]
    if not isinstance(names, list) or not isinstance(scale, float):
        raise TypeError("a stored adapter has no names or no scale")  # the store holds only what this module wrote
    places = range(len(names))
    downs = tuple(_float32(arrays[f"down.{i}"]) for i in places)
    ups = tuple(_float32(arrays[f"up.{i}"]) for i in places)
    return Adapter(tuple(str(name) for name in names), downs, ups, scale)


def _digest(injection: Injected) -> str:
    if isinstance(injection, Kept):
        return fingerprint("kept", injection)
    if isinstance(injection, Adapter):
        content = hashlib.sha256(repr((injection.names, injection.scale)).encode())
        for matrix in (*injection.downs, *injection.ups):
            content.update(matrix.tobytes())
        return content.hexdigest()
    content = hashlib.sha256(injection.vectors_ld.tobytes())
    content.update(repr((injection.sites, injection.scale)).encode())
    return content.hexdigest()


def _float32(stored: object) -> NDArray[np.float32]:
    import numpy as np

    return np.asarray(stored, dtype=np.float32)
