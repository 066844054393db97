"""`receipt`: made, shown, and held against what it must be of."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.cli.console import say, show
from d2b_gate.cli.output import writable, write_whole_bytes
from d2b_gate.cli.receipt_maker import maker_of
from d2b_gate.cli.receipt_text import described
from d2b_gate.core.errors import EvaluationError, Exit, UsageError
from d2b_gate.core.printable import printable
from d2b_gate.core.receipt import CI, LOCAL, Outcome, is_commit, is_sha256, receipt_of, statement_of
from d2b_gate.core.receipt_match import Expected, differences
from d2b_gate.core.receipt_reading import LARGEST, Unsigned, read_envelope, receipt_from
from d2b_gate.core.wire import LARGEST_RESULT, verdict_from_json
from d2b_gate.forge.signing import require_libraries, require_signed, signed
from d2b_gate.reports.escape import terminal

if TYPE_CHECKING:
    from argparse import Namespace

    from d2b_gate.core.receipt import Receipt
    from d2b_gate.core.verdict import Verdict

_LARGEST_KEY = 64 * 1024  # bytes
_SHORT, _LINE = 12, 200  # characters


def run_create(arguments: Namespace) -> int:
    """Write a receipt."""
    target = writable(arguments.output)
    if arguments.key == "":
        raise UsageError("--key is empty", remedy="drop it for an unsigned receipt, or set what it is made of")
    key = arguments.key or os.environ.get("D2B_GATE_SIGNING_KEY", "")
    if key:
        require_libraries()
    verdict, digest = _result(arguments.result)
    receipt = receipt_of(verdict, digest, maker_of(verdict, os.environ))
    payload = json.dumps(statement_of(receipt), indent=2).encode("ascii") + b"\n"
    receipt_from(payload)  # what cannot be read back must not be signed
    content = _signed(payload, key) if key else payload
    try:
        write_whole_bytes(target, content)
    except OSError as error:
        raise EvaluationError(f"cannot write the receipt: {error.strerror}", where=str(target)) from error
    if not key:
        say("the receipt is not signed, and so verifies nowhere: give --key, or set D2B_GATE_SIGNING_KEY")
    if not arguments.quiet:
        say(f"{receipt.outcome.value}: receipt in {printable(str(target))}")
    return int(Exit.OK)


def _signed(payload: bytes, key: str) -> bytes:
    passphrase = os.environ.get("D2B_GATE_SIGNING_PASSPHRASE", "")
    return signed(payload, _bytes(key, _LARGEST_KEY, "key"), passphrase, printable(key))


def run_show(arguments: Namespace) -> int:
    """Print what a receipt says."""
    envelope = read_envelope(_bytes(arguments.receipt, LARGEST, "receipt"))
    receipt = receipt_from(envelope.payload)
    if arguments.format == "json":
        show(json.dumps(statement_of(receipt), indent=2) + "\n")
    else:
        show(described(receipt, envelope))
    return int(Exit.OK)


def run_verify(arguments: Namespace) -> int:
    """Hold a receipt against a key and what it must be of."""
    expected = _expected(arguments)
    require_libraries()
    envelope = read_envelope(_bytes(arguments.receipt, LARGEST, "receipt"))
    keys = [(printable(path), _bytes(path, _LARGEST_KEY, "key")) for path in arguments.key]
    if isinstance(envelope, Unsigned):
        raise EvaluationError("the receipt is not signed", remedy="do not trust what it says")
    key = require_signed(envelope, keys)
    receipt = receipt_from(envelope.payload)
    if found := differences(receipt, expected):
        what = f"the receipt does not hold: {printable('; '.join(found))}"
        raise EvaluationError(what, remedy="do not trust what it says of this")
    return _told(receipt, key, arguments)


def _told(receipt: Receipt, key: str, arguments: Namespace) -> int:
    """One line to stdout: what holds, of what, compared with what, by whom."""
    of = f"commit {receipt.commit[:_SHORT]}" if receipt.commit else f"result {receipt.result_sha256[:_SHORT]}"
    base = f"  base {receipt.base_commit[:_SHORT]}" if is_commit(receipt.base_commit) else ""
    maker = receipt.maker
    by = f"{maker.repository} run {maker.run} ({maker.event or 'no event'})" if maker.run else maker.context
    show(f"{receipt.outcome.value}  {of}{base}  made by {terminal(by, _LINE)}\n")
    if not arguments.quiet:
        say(f"signed by the key {key[:_SHORT]}")
    return int(Exit.VIOLATED if receipt.outcome is Outcome.FAILED else Exit.OK)


def _expected(arguments: Namespace) -> Expected:
    """What was asked for; a receipt that is held against nothing proves nothing.

    Raises:
        UsageError: neither a commit nor a result is named, or a digest is none.
    """
    commit, base, policy = arguments.commit, arguments.base, arguments.policy_digest
    if commit is None and arguments.result is None:
        what = "a receipt of one change must not do for another"
        raise UsageError(what, remedy="say what it must be of: --commit SHA, --result RESULT, or both")
    if commit is not None and not is_commit(commit):
        raise UsageError(f"--commit {printable(commit)!r} is no whole commit id", remedy="give all its hex digits")
    if base is not None and not is_commit(base):
        raise UsageError(f"--base {printable(base)!r} is no whole commit id", remedy="give all its hex digits")
    if policy is not None and not is_sha256(policy):
        raise UsageError(f"--policy-digest {printable(policy)!r} is no SHA-256", remedy="give all 64 hex digits")
    if arguments.repository == "":
        raise UsageError("--repository is empty", remedy="an unset variable is no repository")
    results = () if arguments.result is None else (_result(arguments.result),)
    contexts = (CI, LOCAL) if arguments.allow_local else (CI,)
    return Expected(results, commit or "", policy or "", arguments.repository or "", contexts, base or "")


def _result(path: str) -> tuple[Verdict, str]:
    """A result and the hash of the very bytes that were read."""
    content = _bytes(path, LARGEST_RESULT, "result")
    return verdict_from_json(content), sha256(content).hexdigest()


def _bytes(path: str, most: int, noun: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise UsageError(f"cannot read the {noun}: {error.strerror}", where=printable(path)) from error
    if len(content) > most:
        raise EvaluationError(f"the {noun} is larger than the {most} bytes that are read", where=printable(path))
    return content
