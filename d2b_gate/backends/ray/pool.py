"""Workers that each hold the model, and calls dealt to them; a lost worker's call is dealt to another."""

from __future__ import annotations

import contextlib
import time
from collections import Counter, deque
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from d2b_gate import __version__
from d2b_gate.backends.ray.cluster import connect
from d2b_gate.backends.ray.interrupt import remembering
from d2b_gate.backends.ray.settings import WAIT, crew_of, patience
from d2b_gate.backends.ray.worker import Opened, Refused, Worker
from d2b_gate.core.errors import EvaluationError, UnavailableError
from d2b_gate.core.fingerprint import SPOKEN
from d2b_gate.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from d2b_gate.backends.ray.worker import Recipe
    from d2b_gate.core.ports import ModelCard

TRIES = 3  # workers that one call may cost before it is held to be the reason; our choice
_TICK = 1.0  # seconds between looks at the time
_OPENING = -1  # what a worker is at before its first call
_WAKING = -2  # what it is at when it has waited, perhaps for hours: it says that it is there still


@dataclass(frozen=True, slots=True)
class Call:
    """A verb and its arguments; ``about`` says for people what it is on."""

    verb: str
    arguments: tuple[object, ...]
    about: str


@dataclass(frozen=True, slots=True)
class _Task:
    """What a worker is at: call ``index`` of a round; a round that ended early leaves tasks behind."""

    worker: Any  # a handle of Ray's, which is untyped
    round: int
    index: int


@dataclass(frozen=True, slots=True)
class _Lost:
    """The worker ended, or its machine did."""

    why: str


@dataclass(frozen=True, slots=True)
class _Broken:
    """An error that is none of the project's: a bug, shown as one."""

    error: Exception


class Pool:
    """Connects when first used. A worker has one call at a time, so that a lost one tells which call it was at."""

    def __init__(self, address: str, recipe: Recipe, expected: Opened | None = None) -> None:
        """``expected`` is what every worker must say of itself; without it, what the first one says."""
        self._address = address
        self._recipe = recipe
        self._expected = expected
        self._ray: Any = None
        self._actor: Any = None
        self._tasks: dict[Any, _Task] = {}
        self._ready: list[Any] = []  # were heard of just now
        self._idle: list[Any] = []  # may have been lost since
        self._round = 0
        self._stillborn = 0
        self._since = 0.0

    def card(self) -> ModelCard:
        """What the workers say of their model; waits for the first of them."""
        self._start()
        while self._expected is None:
            self._settle()
        return self._expected.card

    def run(self, calls: Sequence[Call]) -> Iterator[tuple[int, Any]]:
        """Yield (index, result) as calls are answered, in no order.

        Raises:
            GateError: a worker refuses a call, one call ended `TRIES` workers, or no worker can be had.
        """
        if calls:
            self._start()
        self._rest()
        self._round += 1
        with remembering() as raise_interrupt:
            for answers in self._rounds(calls):
                raise_interrupt()
                yield from answers

    def _rounds(self, calls: Sequence[Call]) -> Iterator[list[tuple[int, Any]]]:
        """Keep every worker busy; yields what was answered since the last time, perhaps nothing."""
        waiting, lost, left = deque(range(len(calls))), Counter[int](), len(calls)
        while left:
            while waiting and self._ready:
                self._give(self._ready.pop(), waiting.popleft(), calls)
            self._rest()
            if waiting:
                self._wake()
            answered = []
            for index, answer in self._settle():
                if isinstance(answer, _Lost):
                    lost[index] += 1
                    _require_innocent(lost[index], calls[index], answer)
                    waiting.appendleft(index)
                else:
                    answered.append((index, _value(answer)))
            left -= len(answered)
            yield answered

    def pids(self) -> list[int]:
        """Processes of the workers that wait for a call, once all have opened their model."""
        self._start()
        while any(task.index == _OPENING for task in self._tasks.values()):
            self._settle()
        self._rest()
        found: list[int] = self._ray.get([worker.pid.remote() for worker in self._idle])
        return found

    def close(self) -> None:
        """Let the workers go; the cluster stays, and they are hired again when a verb needs them."""
        if self._ray is None:
            return
        for worker in (*self._ready, *self._idle, *(task.worker for task in self._tasks.values())):
            self._kill(worker)
        self._tasks, self._ready, self._idle, self._ray = {}, [], [], None

    def _start(self) -> None:
        if self._ray is not None:
            return
        self._ray = connect(self._address)
        machines = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        gpus = sum(machine.get("GPU", 0.0) for machine in machines)
        crew = crew_of([machine.get("CPU", 0.0) for machine in machines], gpus)
        self._actor = self._ray.remote(Worker).options(num_cpus=crew.cpus, num_gpus=crew.gpus, max_restarts=0)
        self._since = time.monotonic()
        for _ in range(crew.count):
            self._hire()

    def _hire(self) -> None:
        worker = self._actor.remote()
        self._tasks[worker.open.remote(self._recipe)] = _Task(worker, self._round, _OPENING)

    def _rest(self) -> None:
        """Whoever has no call now is not known to be there later."""
        self._idle += self._ready
        self._ready = []

    def _wake(self) -> None:
        """Ask all that waited whether they are there: one that was lost meanwhile must not count against a call."""
        if self._idle:
            self._since = time.monotonic()
        for worker in self._idle:
            self._tasks[worker.pid.remote()] = _Task(worker, self._round, _WAKING)
        self._idle = []

    def _give(self, worker: Any, index: int, calls: Sequence[Call]) -> None:  # noqa: ANN401 - an untyped handle
        call = calls[index]
        self._tasks[worker.run.remote(call.verb, call.arguments)] = _Task(worker, self._round, index)

    def _settle(self) -> list[tuple[int, object]]:
        """Wait a moment for whatever ends; returns the answers to this round's calls."""
        found = []
        for reference in self._ended():
            task, answer = self._tasks.pop(reference), self._answer(reference)
            if isinstance(answer, _Lost):
                self._replace(task, answer)
            elif task.index == _OPENING:
                self._admit(task.worker, _value(answer))
            else:
                self._ready.append(task.worker)
            if task.index >= 0 and task.round == self._round:
                found.append((task.index, answer))
        return found

    def _ended(self) -> list[Any]:
        try:
            ended, _ = self._ray.wait(list(self._tasks), num_returns=1, timeout=_TICK)
        except (self._ray.exceptions.RayError, ConnectionError) as error:
            raise UnavailableError(
                f"the ray cluster was lost ({_first_line(error)})", remedy="what was computed is kept; start again"
            ) from error
        if ended:
            self._since = time.monotonic()
        elif not (self._ready or self._idle or any(task.index >= 0 for task in self._tasks.values())):
            self._require_patience()
        return list(ended)

    def _require_patience(self) -> None:
        if time.monotonic() - self._since > patience():
            raise UnavailableError(
                f"the ray cluster gave this process no worker in {patience()} seconds",
                remedy=f"run 'ray status': are there free cores and GPUs? {WAIT} sets how long to wait",
            )

    def _answer(self, reference: Any) -> object:  # noqa: ANN401 - an untyped handle
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            return _Broken(error)
        except self._ray.exceptions.RayError as error:
            return _Lost(_first_line(error))

    def _replace(self, task: _Task, lost: _Lost) -> None:
        self._kill(task.worker)
        if task.index == _OPENING:
            self._stillborn += 1
            if self._stillborn >= TRIES:
                raise UnavailableError(
                    f"{TRIES} workers of the ray cluster ended before they had found the model ({lost.why})",
                    remedy="see the logs of the cluster's workers; is d2b-gate[ray,model] installed there?",
                )
        self._hire()

    def _kill(self, worker: Any) -> None:  # noqa: ANN401 - an untyped handle
        with contextlib.suppress(self._ray.exceptions.RayError, ValueError):  # it is gone already
            self._ray.kill(worker)

    def _admit(self, worker: Any, said: object) -> None:  # noqa: ANN401 - an untyped handle
        if not isinstance(said, Opened):
            raise TypeError("a worker opened nothing")
        foreign = _foreign(said)
        if foreign:
            self._kill(worker)
            self.close()  # the others are no better, and a next use must not wait for them
            raise UnavailableError(
                f"a worker of the ray cluster has {foreign}",
                remedy=f'there, run: pip install "d2b-gate[ray,model]=={__version__}", or install its version here',
            )
        self._expected = self._expected or said
        differing = _differing(said, self._expected)
        if differing:
            self._kill(worker)
            raise EvaluationError(
                f"the workers of the ray cluster are not alike: {differing}",
                remedy="give every worker the same d2b-gate, libraries, model files and kind of device",
            )
        self._stillborn = 0
        self._ready.append(worker)


def _value(answer: object) -> object:
    if isinstance(answer, Refused):
        raise answer.error()
    if isinstance(answer, _Broken):
        raise answer.error
    return answer


def _require_innocent(lost: int, call: Call, last: _Lost) -> None:
    """A call that ends every worker which is given it would end all of them for ever."""
    if lost >= TRIES:
        raise EvaluationError(
            f"{lost} workers ended while they were at {call.about} ({last.why})",
            remedy="look for what exhausts a worker's memory: a very long row, a model too large for its device",
        )


def _foreign(said: Opened) -> str:
    """What a worker's program has that this process has not: its numbers would be kept here under another's name."""
    if said.version != __version__:
        return f"d2b-gate {printable(said.version)}, and this process has {__version__}"
    if said.feature_version != SPOKEN:
        theirs = printable(str(said.feature_version))
        return f"another d2b-gate {__version__}: its features are of version {theirs}, here of {SPOKEN}"
    return ""


def _differing(said: Opened, expected: Opened) -> str:
    """The first thing that two workers say differently of themselves."""
    for field in fields(said.card):
        one, other = getattr(said.card, field.name), getattr(expected.card, field.name)
        if one != other:
            return printable(f"{field.name} {one} and {other}")
    return ""


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return printable((lines or [type(error).__name__])[0][:200])
