"""Whether a receipt is the one that was asked for: every difference at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.receipt import CI, CONTROL, ROW_SCHEMA, Outcome, outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from d2b_gate.core.receipt import Receipt
    from d2b_gate.core.verdict import Verdict

_SHOWN = 12  # hex digits of a digest in a sentence


@dataclass(frozen=True, slots=True)
class Expected:
    """What the receipt must be of; what is empty is not asked for."""

    results: tuple[tuple[Verdict, str], ...] = ()  # a saved result and the sha256 of its bytes: one, or none
    commit: str = ""
    policy_digest: str = ""
    repository: str = ""
    contexts: tuple[str, ...] = (CI,)  # where it may have been made
    base: str = ""  # the commit that the judged one was compared with


def differences(receipt: Receipt, expected: Expected) -> list[str]:
    """One clause for each thing that does not match."""
    return [*_of_subject(receipt, expected), *_of_judging(receipt, expected), *_of_making(receipt, expected)]


def _of_subject(receipt: Receipt, expected: Expected) -> Iterator[str]:
    for verdict, sha256 in expected.results:
        if receipt.result_sha256 != sha256:
            yield f"it is of the result {_short(receipt.result_sha256)}, and the file is {_short(sha256)}"
        elif (receipt.outcome, receipt.commit) != (outcome_of(verdict), verdict.provenance.commit):
            yield "it says something else than its own result"
    if expected.commit and receipt.commit != expected.commit:
        yield f"it is of the commit {_short(receipt.commit) or '(none)'}, and not of {_short(expected.commit)}"


def _of_judging(receipt: Receipt, expected: Expected) -> Iterator[str]:
    """By what it was judged; compared with itself, or by no rule, any commit passes."""
    if expected.base and receipt.base_commit != expected.base:
        yield f"it is compared with {_short(receipt.base_commit) or '(none)'}, and not with {_short(expected.base)}"
    if receipt.commit and receipt.base_commit == receipt.commit:
        yield f"it compares the commit {_short(receipt.commit)} with itself"
    if receipt.outcome is not Outcome.FAILED and not any(map(_is_rule, (*receipt.passed, *receipt.warned))):
        yield f"it says {receipt.outcome.value} and names no rule that was judged"
    if expected.policy_digest and receipt.policy_digest != expected.policy_digest:
        judged_by, wanted = _short(receipt.policy_digest), _short(expected.policy_digest)
        yield f"it was judged by the policy {judged_by}, and not by {wanted}"


def _of_making(receipt: Receipt, expected: Expected) -> Iterator[str]:
    maker = receipt.maker
    if maker.context not in expected.contexts:
        yield f"it was made in the context {maker.context}, and not by CI"
    if maker.context == CI and not (maker.repository and maker.run and receipt.commit):
        yield "it says that CI made it, and not which run for which commit"
    if expected.repository and maker.repository.lower() != expected.repository.lower():
        yield f"it was made for the repository {maker.repository or '(none)'}, and not for {expected.repository}"


def _is_rule(name: str) -> bool:
    return not name.startswith(CONTROL) and name != ROW_SCHEMA


def _short(digest: str) -> str:
    return digest[:_SHOWN]
