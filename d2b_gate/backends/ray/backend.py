"""The backend port over a pool of workers. Rows are dealt by key; what belongs to one training stays on one worker."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from d2b_gate.backends.ray.pool import Call
from d2b_gate.backends.ray.shards import chunks, deal, most_rows, places, shared
from d2b_gate.core.features import Adapter, Injection, Kept, Signature, States

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from d2b_gate.backends.ray.pool import Pool
    from d2b_gate.core.drawing import Drawing
    from d2b_gate.core.features import Injected, Pooling, Site
    from d2b_gate.core.finetune import FinetunePlan
    from d2b_gate.core.plan import TunePlan
    from d2b_gate.core.ports import ModelCard, Progress, RowLength
    from d2b_gate.core.reading import LogProbs, Prompt, Vocabulary
    from d2b_gate.core.rows import Row

LENGTHS_AT_ONCE = 4096  # rows of a shard whose lengths are counted; a tokenizer does that in a second or two
PROMPTS_AT_ONCE = 256  # prompts of a call: many rules' probes are dealt, one probe is not cut
WINDOW = 1 << 18  # rows of a signature that are dealt together: their text is in memory, their features never


class RayBackend:
    """`Backend` over a cluster, with the card that all of its workers share."""

    def __init__(self, card: ModelCard, pool: Pool, progress: Progress) -> None:
        self._card = card
        self._pool = pool
        self._progress = progress

    @property
    def card(self) -> ModelCard:
        """Identity of the workers' model."""
        return self._card

    def lengths(self, rows: Sequence[Row]) -> tuple[RowLength, ...]:
        """Token counts per row."""
        shards = deal(rows, LENGTHS_AT_ONCE)
        calls = [Call("lengths", (shard,), _about(shard)) for shard in shards]
        found: dict[str, RowLength] = {}
        for index, lengths in self._pool.run(calls):
            found.update(zip((row.key for row in shards[index]), lengths, strict=True))
        return tuple(found[row.key] for row in rows)

    def states(self, rows: Sequence[Row], pooling: Pooling, sites: Sequence[Site] = ()) -> States:
        """Hidden states per row."""
        return self._features(pooling, rows, tuple(sites))

    def gradients(self, rows: Sequence[Row]) -> States:
        """Activation gradients per row."""
        return self._features("gradients", rows, ())

    def signature(self, feature: str, weighted: Iterable[tuple[Row, float]], sites: Sequence[Site] = ()) -> Signature:
        """Weighted sum of rows' features, made on the workers and added in the order of shards.

        ``feature`` is a pooling of `states`, at these sites or at all, or "gradients". No feature of a row travels, and
        the rows may be a stream: equals `signature_of` the features within the rounding of float64.
        """
        import numpy as np

        zeros_ld = np.zeros((len(sites) or self._card.blocks, self._card.width))
        total, stream = Signature(0.0, zeros_ld, zeros_ld), iter(weighted)
        while window := list(islice(stream, WINDOW)):
            for part in self._signatures(feature, window, tuple(sites)):
                total = total + part
        return total

    def tune(self, plan: TunePlan) -> Injection:
        """Vectors tuned by one worker."""
        injection: Injection = self._one("tune", (plan,), f"a tuning of {len(plan.steps)} steps")
        self._progress.advance(len(plan.steps))
        return replace(injection, vectors_ld=_owned(injection.vectors_ld))

    @property
    def keeps_adapters(self) -> bool:
        """No: they are returned, and sent along with what is read under them."""
        return False

    def finetune(self, plan: FinetunePlan) -> Adapter:
        """A low-rank adapter trained by one worker."""
        adapter: Adapter = self._one("finetune", (plan,), f"a training of {len(plan.steps)} steps")
        self._progress.advance(len(plan.steps))
        downs, ups = (tuple(_owned(matrix) for matrix in side) for side in (adapter.downs, adapter.ups))
        return replace(adapter, downs=downs, ups=ups)

    def read(self, prompts: Sequence[Prompt], injection: Injected) -> tuple[LogProbs, ...]:
        """Log-probabilities of the prompts' continuations; many prompts are dealt in runs of neighbours."""
        _require_here(injection)
        parts = chunks(len(prompts), PROMPTS_AT_ONCE)
        calls = [Call("read", (_of(prompts, part), injection), _asked(part)) for part in parts]
        return tuple(one for log_probs in self._in_order(calls) for one in log_probs)

    def sensitivities(self, prompts: Sequence[Prompt], coefficients: Sequence[tuple[float, ...]]) -> States:
        """Gradients of the prompts' scores, dealt like readings."""
        parts = chunks(len(prompts), PROMPTS_AT_ONCE)
        verb = "sensitivities"
        calls = [Call(verb, (_of(prompts, part), _of(coefficients, part)), _asked(part)) for part in parts]
        values_nld = self._none(len(prompts), self._card.blocks)
        for index, states in self._pool.run(calls):
            values_nld[parts[index].start : parts[index].stop] = states.values_nld
        return States(tuple(prompt.key for prompt in prompts), self._card.sites, values_nld)

    def complete(
        self, prompts: Sequence[Prompt], injection: Injected, drawings: Sequence[Drawing], max_tokens: int
    ) -> tuple[str, ...]:
        """Answers as text, by one worker."""
        if len(prompts) != len(drawings):
            raise ValueError("every prompt has a drawing of its own")
        _require_here(injection)
        arguments = (tuple(prompts), injection, tuple(drawings), max_tokens)
        answers: tuple[str, ...] = self._one("complete", arguments, f"{len(prompts)} answers")
        return answers

    def vocabulary(self, prompts: Sequence[Prompt], injection: Injected) -> Vocabulary:
        """Shares of all tokens where the prompts' continuations begin, by one worker."""
        if not prompts:
            raise ValueError("a mean over no prompts")
        _require_here(injection)
        found: Vocabulary = self._one("vocabulary", (tuple(prompts), injection), _asked(range(len(prompts))))
        return replace(found, shares_v=_owned(found.shares_v))

    def token_texts(self, tokens: Sequence[int]) -> tuple[str, ...]:
        """Texts of tokens."""
        texts: tuple[str, ...] = self._one("token_texts", (tuple(tokens),), "texts of tokens")
        return texts

    def _features(self, feature: str, rows: Sequence[Row], sites: tuple[Site, ...]) -> States:
        """Every distinct row once, into its places: the workers' arrays are copied and let go."""
        where, read = places(rows), sites or self._card.sites
        values_nld = self._none(len(rows), len(read))
        shards = deal(rows, shared(len(where), most_rows(len(read), self._card.width)))
        calls = [Call("features", (feature, shard, sites), _about(shard)) for shard in shards]
        for index, part_nld in self._pool.run(calls):
            for row, value_ld in zip(shards[index], part_nld, strict=True):
                values_nld[where[row.key]] = value_ld
        return States(tuple(row.key for row in rows), read, values_nld)

    def _signatures(
        self, feature: str, weighted: Sequence[tuple[Row, float]], sites: tuple[Site, ...]
    ) -> Iterator[Signature]:
        """One per shard, in the order of shards; a row that occurs twice has the sum of its weights."""
        weights: dict[str, float] = {}
        for row, weight in weighted:
            weights[row.key] = weights.get(row.key, 0.0) + weight
        most = most_rows(len(sites) or self._card.blocks, self._card.width)
        shards = deal((row for row, _ in weighted), shared(len(weights), most))
        calls = [
            Call("signature", (feature, shard, sites, [weights[row.key] for row in shard]), _about(shard))
            for shard in shards
        ]
        yield from self._in_order(calls)

    def _in_order(self, calls: Sequence[Call]) -> Iterator[Any]:
        answers = dict(self._pool.run(calls))
        return (answers[index] for index in range(len(calls)))

    def _one(self, verb: str, arguments: tuple[object, ...], about: str) -> Any:  # noqa: ANN401 - as many as verbs
        (answer,) = self._in_order([Call(verb, arguments, about)])
        return answer

    def _none(self, count: int, sites: int) -> NDArray[np.float32]:
        import numpy as np

        return np.zeros((count, sites, self._card.width), dtype=np.float32)


def _of(items: Sequence[Any], part: range) -> tuple[Any, ...]:
    return tuple(items[part.start : part.stop])


def _about(shard: Sequence[Row]) -> str:
    """The rows of a shard, for people: how many, and where one of them stands."""
    more = f" and {len(shard) - 1} others" if len(shard) > 1 else ""
    return f"the row {shard[0].where}{more}"


def _asked(part: range) -> str:
    return f"the readings of {len(part)} prompts"


def _require_here(injection: Injected) -> None:
    if isinstance(injection, Kept):
        raise TypeError("this adapter is kept by a remote backend")


def _owned(shared: NDArray[np.float32]) -> NDArray[np.float32]:
    """A copy: what Ray returns is a view of the cluster's memory, which ends with the connection."""
    own: NDArray[np.float32] = shared.copy()
    return own
