"""Signatures of receipts, by securesystemslib: DSSE envelopes, and keys as PEM files."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError, UsageError
from d2b_gate.core.receipt_reading import PAYLOAD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from securesystemslib.signer import (  # type: ignore[attr-defined]  # documented, though not in its `__all__`
        CryptoSigner,
        SSlibKey,
    )

    from d2b_gate.core.receipt_reading import Signed

_LEAST_RSA = 2048  # bits; what is shorter is not accepted by NIST SP 800-131A
_KINDS = "Ed25519, RSA of at least 2048 bits, or ECDSA on P-256, P-384 or P-521"


def require_libraries() -> None:
    """See that the libraries are installed, without importing them.

    Raises:
        EvaluationError: one is not; the message names the extra that brings it.
    """
    if find_spec("securesystemslib") is None or find_spec("cryptography") is None:
        raise EvaluationError("signatures need securesystemslib", remedy='run: pip install "d2b-gate[sign]"')


def signed(payload: bytes, private_pem: bytes, passphrase: str, where: str) -> bytes:
    """The payload in an envelope with one signature, as JSON.

    Raises:
        UsageError: the key cannot be used; nothing of it is in the message.
    """
    from securesystemslib.dsse import Envelope

    envelope = Envelope(payload, PAYLOAD, {})
    envelope.sign(_signer(private_pem, passphrase, where))
    return json.dumps(envelope.to_dict(), indent=2).encode("ascii") + b"\n"


def require_signed(receipt: Signed, public_pems: Sequence[tuple[str, bytes]]) -> str:
    """The id of the key that signed it, of those given as (file, PEM).

    Raises:
        EvaluationError: no signature is by one of the keys.
        UsageError: a key cannot be used.
    """
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import VerificationError
    from securesystemslib.signer import Signature  # type: ignore[attr-defined]  # documented, though not in its `__all__`

    keys = [_public(pem, where) for where, pem in public_pems]
    # a signature names its key by a hint that is not signed: each key is tried on each signature
    for _, signature in receipt.signatures:
        for key in keys:
            named = {key.keyid: Signature(key.keyid, signature.hex())}
            try:
                return next(iter(Envelope(receipt.payload, PAYLOAD, named).verify([key], 1)))
            except VerificationError:  # by another key, or of another payload
                continue
    raise EvaluationError("no signature of the receipt is by the given key", remedy="do not trust what it says")


def _signer(pem: bytes, passphrase: str, where: str) -> CryptoSigner:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]  # documented, though not in its `__all__`

    try:
        key = load_pem_private_key(pem, passphrase.encode() or None)
        signer = CryptoSigner(key)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise _unusable(where, "private", error) from None
    _require_strength(getattr(key, "key_size", _LEAST_RSA), signer.public_key, where)
    return signer


def _public(pem: bytes, where: str) -> SSlibKey:
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]  # documented, though not in its `__all__`

    if b"PRIVATE KEY-----" in pem:
        raise UsageError(
            "it is a private key", where=where, remedy="verify with the public one, and keep this one away"
        )
    try:
        key = load_pem_public_key(pem)
        known = SSlibKey.from_crypto(key)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise _unusable(where, "public", error) from None
    _require_strength(getattr(key, "key_size", _LEAST_RSA), known, where)
    return known


def _require_strength(bits: int, key: SSlibKey, where: str) -> None:
    if key.keytype == "rsa" and bits < _LEAST_RSA:
        raise UsageError(f"an RSA key of {bits} bits is too short", where=where, remedy=f"use {_KINDS}")


def _unusable(where: str, kind: str, error: Exception) -> UsageError:
    if isinstance(error, TypeError):  # how cryptography says that a passphrase is missing, or is one too many
        what = "its passphrase is missing, or it has none"
        return UsageError(what, where=where, remedy="set D2B_GATE_SIGNING_PASSPHRASE, or unset it")
    return UsageError(f"it is no usable {kind} key in PEM form", where=where, remedy=f"use {_KINDS}")
