"""Errors that a user can meet: one sentence saying what is wrong, where, and what to do, and the exit code."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes; a contract with the scripts that call the gate."""

    OK = 0
    VIOLATED = 1
    USAGE = 2
    UNEVALUATED = 3
    INCONCLUSIVE = 4
    NOTHING_MATCHED = 5
    INTERRUPTED = 130


_PRECEDENCE = (Exit.USAGE, Exit.UNEVALUATED, Exit.VIOLATED, Exit.INCONCLUSIVE, Exit.NOTHING_MATCHED, Exit.OK)


def first_exit(codes: list[Exit]) -> Exit:
    """Return the code that wins when several apply: the first of 2, 3, 1, 4, 5."""
    return next((code for code in _PRECEDENCE if code in codes), Exit.OK)


class GateError(Exception):
    """Something the user can act on. Caught once, in `cli`; never shown as a traceback."""

    exit = Exit.UNEVALUATED

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        """Return ``where: what (remedy)`` on one line."""
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}; {self.remedy}" if self.remedy else head


class UsageError(GateError):
    """A mistake in the command line, the configuration or the policy (exit 2)."""

    exit = Exit.USAGE


class PolicyError(UsageError):
    """A policy that cannot be used. Carries every problem found, so that one run lists them all."""

    def __init__(self, problems: list[GateError]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class EvaluationError(GateError):
    """The gate could not evaluate: model, data, memory, time, backend or a control (exit 3)."""


class UnavailableError(EvaluationError):
    """What runs the model is not here: no library, model, device, memory or connection. A hook may leave it to CI."""


class ProbeUnreadableError(EvaluationError):
    """One probe cannot be read on this model; its rules end as errors, the others are judged."""


class NothingMatchedError(GateError):
    """Nothing matched although ``--require-match`` was given (exit 5)."""

    exit = Exit.NOTHING_MATCHED
