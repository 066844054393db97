"""The backend port over HTTP; nothing is sent before a verb needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.backends.remote.heard import answers, floats, numbers, shares
from d2b_gate.backends.remote.jobs import Asked
from d2b_gate.core.features import Injection, Kept, Site, States
from d2b_gate.core.ports import RowLength
from d2b_gate.core.remote import (
    heard_array,
    job_name,
    misheard,
    said_drawings,
    said_injection,
    said_prompts,
    said_training,
    said_tuning,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from d2b_gate.backends.remote.jobs import Jobs
    from d2b_gate.core.drawing import Drawing
    from d2b_gate.core.features import Injected, Pooling
    from d2b_gate.core.finetune import FinetunePlan
    from d2b_gate.core.plan import TunePlan
    from d2b_gate.core.ports import ModelCard
    from d2b_gate.core.reading import LogProbs, Prompt, Vocabulary
    from d2b_gate.core.rows import Row

FEATURES_AT_ONCE = 16 * 2**20  # bytes of features in one answer; our choice: a second on a slow line
LENGTHS_AT_ONCE = 2_000  # rows whose lengths are asked for in one job


class RemoteBackend:
    """`Backend` by asking a server, whose card this is."""

    def __init__(self, card: ModelCard, model: Mapping[str, object], jobs: Jobs) -> None:
        """``model`` is how the server was asked for the model of ``card``."""
        self._card = card
        self._model = model
        self._jobs = jobs
        self._plans: dict[str, FinetunePlan] = {}
        self._trained: set[str] = set()

    @property
    def card(self) -> ModelCard:
        """Identity of the server's model."""
        return self._card

    def lengths(self, rows: Sequence[Row]) -> tuple[RowLength, ...]:
        """Token counts per row."""
        found: list[RowLength] = []
        for some in _chunks(rows, LENGTHS_AT_ONCE):
            table = self._run("lengths", {"rows": _keys(some)}, some)
            found += [RowLength(*three) for three in numbers(table, "lengths", (len(some), 3))]
        return tuple(found)

    def states(self, rows: Sequence[Row], pooling: Pooling, sites: Sequence[Site] = ()) -> States:
        """Hidden states per row."""
        asked = {"pooling": pooling, "sites": [site.block for site in sites]}
        return self._features("states", rows, asked, tuple(sites) or self._card.sites)

    def gradients(self, rows: Sequence[Row]) -> States:
        """Activation gradients per row."""
        return self._features("gradients", rows, {}, self._card.sites)

    def tune(self, plan: TunePlan) -> Injection:
        """Tuned vectors, which are small, so they come here."""
        table = self._run("tune", said_tuning(plan), plan.rows)
        vectors_ld = heard_array(table.get("vectors"), (-1, self._card.width))
        ((scale,),) = floats({"scale": [[table.get("scale")]]}, "scale", 1)
        (blocks,) = numbers({"sites": [table.get("sites")]}, "sites", (1, len(vectors_ld)))
        return Injection(tuple(Site(block) for block in blocks), vectors_ld, scale)

    @property
    def keeps_adapters(self) -> bool:
        """Yes: an adapter has megabytes to gigabytes, and is needed where it was trained."""
        return True

    def finetune(self, plan: FinetunePlan) -> Kept:
        """The name of the adapter that this plan trains; it is trained when a reading first needs it."""
        name = job_name(self._card, "finetune", said_training(plan))
        self._plans[name] = plan
        return Kept(((name, 1.0),))

    def read(self, prompts: Sequence[Prompt], injection: Injected) -> tuple[LogProbs, ...]:
        """Log-probabilities of the prompts' continuations."""
        arguments = {"prompts": said_prompts(prompts), "injection": said_injection(injection)}
        found = floats(self._under("read", arguments, injection), "log_probs", len(prompts))
        if any(len(one) != len(prompt.continuations) for one, prompt in zip(found, prompts, strict=True)):
            raise misheard("a prompt has not as many readings as continuations")
        return found

    def sensitivities(self, prompts: Sequence[Prompt], coefficients: Sequence[tuple[float, ...]]) -> States:
        """Gradients of the prompts' scores."""
        arguments = {"prompts": said_prompts(prompts), "coefficients": [list(one) for one in coefficients]}
        table = self._run("sensitivities", arguments)
        values_nld = self._values(len(prompts), table, self._card.sites)
        return States(tuple(prompt.key for prompt in prompts), self._card.sites, values_nld)

    def complete(
        self, prompts: Sequence[Prompt], injection: Injected, drawings: Sequence[Drawing], max_tokens: int
    ) -> tuple[str, ...]:
        """Answers as text."""
        if len(prompts) != len(drawings):
            raise ValueError("every prompt has a drawing of its own")
        arguments = {
            "prompts": said_prompts(prompts),
            "injection": said_injection(injection),
            "drawings": said_drawings(drawings),
            "max_tokens": max_tokens,
        }
        return answers(self._under("complete", arguments, injection), "answers", len(prompts))

    def vocabulary(self, prompts: Sequence[Prompt], injection: Injected) -> Vocabulary:
        """Shares of all tokens where the prompts' continuations begin."""
        if not prompts:
            raise ValueError("a mean over no prompts")
        arguments = {"prompts": said_prompts(prompts), "injection": said_injection(injection)}
        return shares(self._under("vocabulary", arguments, injection))

    def token_texts(self, tokens: Sequence[int]) -> tuple[str, ...]:
        """Texts of tokens."""
        return answers(self._run("token_texts", {"tokens": list(tokens)}), "texts", len(tokens))

    def _features(self, verb: str, rows: Sequence[Row], rest: Mapping[str, object], sites: tuple[Site, ...]) -> States:
        """Features in answers of bounded size, joined in the order of the rows."""
        import numpy as np

        size = 4 * len(sites) * self._card.width
        parts = [
            self._values(len(some), self._run(verb, {"rows": _keys(some), **rest}, some), sites)
            for some in _chunks(rows, max(1, FEATURES_AT_ONCE // size))
        ]
        none = np.zeros((0, len(sites), self._card.width), dtype=np.float32)
        return States(tuple(_keys(rows)), sites, np.concatenate([none, *parts]))

    def _values(self, rows: int, table: Mapping[str, object], sites: tuple[Site, ...]) -> NDArray[np.float32]:
        return heard_array(table.get("values"), (rows, len(sites), self._card.width))

    def _under(self, verb: str, arguments: Mapping[str, object], injection: Injected) -> Mapping[str, object]:
        """Run a verb that reads under an injection, the adapters that it names trained first."""
        names = [name for name, _ in injection.parts] if isinstance(injection, Kept) else []
        for name in names:
            self._train(name)

        def again() -> None:
            self._trained.difference_update(names)
            for name in names:
                self._train(name)

        return self._jobs.run(Asked(self._model, verb, arguments), again=again if names else None).table

    def _train(self, name: str) -> None:
        """Have an adapter trained, once in this process; the server remembers it longer."""
        if name in self._trained:
            return
        plan = self._plans[name]
        table = self._run("finetune", said_training(plan), plan.rows)
        if table.get("kept") != name:
            raise misheard("it calls an adapter by another name")
        self._trained.add(name)

    def _run(self, verb: str, arguments: Mapping[str, object], rows: Sequence[Row] = ()) -> Mapping[str, object]:
        return self._jobs.run(Asked(self._model, verb, arguments), rows).table


def _keys(rows: Sequence[Row]) -> list[str]:
    return [row.key for row in rows]


def _chunks(rows: Sequence[Row], most: int) -> Iterator[Sequence[Row]]:
    return (rows[start : start + most] for start in range(0, len(rows), most))
