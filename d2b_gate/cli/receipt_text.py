"""A receipt in lines for a person; every text in it is untrusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.receipt_reading import Unsigned
from d2b_gate.reports.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from d2b_gate.core.receipt import Receipt
    from d2b_gate.core.receipt_reading import Signed

_NAME, _LINE = 80, 200  # characters
_MOST = 20  # rules of a kind


def described(receipt: Receipt, envelope: Signed | Unsigned) -> str:
    """What it says, and that nothing of it was verified."""
    lines = [f"{name:<11}{terminal(text, _LINE)}" for name, text in _lines(receipt) if text]
    return "\n".join([*lines, f"{'signed':<11}{_signed(envelope)}"]) + "\n"


def _lines(receipt: Receipt) -> Iterator[tuple[str, str]]:
    maker, ran = receipt.maker, receipt.ran
    yield "says", f"{receipt.outcome.value} (exit {ran.exit_code})"
    yield "commit", receipt.commit
    yield "base", receipt.base_commit
    yield "judged", ran.scope
    yield "result", f"sha256 {receipt.result_sha256}"
    yield "policy", f"{receipt.policy_path}  {receipt.policy_digest}"
    yield "model", f"{ran.model_id}  {ran.model_revision}"
    for name, rules in (("failed", receipt.failed), ("warned", receipt.warned), ("passed", receipt.passed)):
        more = f" and {len(rules) - _MOST} more" if len(rules) > _MOST else ""
        yield name, ", ".join(terminal(rule, _NAME) for rule in rules[:_MOST]) + more
    yield "made", f"{maker.context} {maker.repository} run {maker.run}" if maker.run else maker.context
    yield "event", f"{maker.event} {maker.ref}".strip()
    yield "at", maker.url


def _signed(envelope: Signed | Unsigned) -> str:
    if isinstance(envelope, Unsigned):
        return "no: anybody can have written this"
    keys = ", ".join(terminal(key[:12], _NAME) or "(unnamed)" for key, _ in envelope.signatures)
    return f"by the key {keys}, by its own word: `d2b-gate receipt verify` tells"
